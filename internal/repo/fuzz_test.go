package repo

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"hearth/internal/manifest"
)

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte("clusters:\n  main: {path: kubernetes/main, networks: [10.0.0.0/8], nodes: [{name: a}]}\nseed: 1\n"))
	f.Add([]byte("standIns: [{kind: X}]\nsources: {a: ../b}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConfig(data)
		if err != nil {
			return
		}
		for name := range c.Clusters {
			if !local(c.Of(name).Path) || !local(c.Of(name).Vault) {
				t.Errorf("cluster %q leads out of the repository", name)
			}
		}
	})
}

func FuzzHelmfile(f *testing.F) {
	f.Add([]byte("releases:\n  - name: a\n    chart: ../x\n    version: {{ v }}\n    needs: [b]\n    values: [../../x, {a: 1}]\n    hooks: [{command: kubectl, args: [apply, -k, ../../../x]}]\n"))
	root, err := os.OpenRoot(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	defer root.Close()
	f.Fuzz(func(t *testing.T, data []byte) {
		b := bootstrapReader{ctx: t.Context(), root: root, tree: &tree{}}
		b.helmfileText("helmfile.yaml", data)
		for _, r := range b.result.Releases {
			if r.Name == "" {
				t.Error("a release without a name")
			}
			for _, file := range r.ValueFiles {
				if !local(file) {
					t.Errorf("values from %s", file)
				}
			}
		}
		if got, want := bytes.Count(withoutActions(data), []byte("\n")), bytes.Count(data, []byte("\n")); got != want {
			t.Errorf("%d lines become %d", want, got)
		}
	})
}

func FuzzTemplate(f *testing.F) {
	f.Add("a: {{ ENV.X }}\n{% for i in range(3) %}\n- {{ i }}\n{% endfor %}\n")
	f.Add("{% macro x() %}{{ x() }}{% endmacro %}{{ op://a/b }}")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1000 {
			t.Skip("long texts only slow this down")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		out, err := templateSyntax{}.render(ctx, "x.j2", []byte(text))
		if err == nil && len(out) > renderSize {
			t.Errorf("%d bytes", len(out))
		}
		for _, p := range manifest.Problems(err) {
			if p.Place.File != "x.j2" {
				t.Errorf("the problem %v has no file", p)
			}
		}
	})
}
