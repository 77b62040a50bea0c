package tree

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"hearth/internal/rule"
	"hearth/internal/rule/ruletest"
)

func TestRules(t *testing.T) {
	ruletest.Run(t, []*rule.Rule{YAML, Build})
}

// homelab has two applications; good is always right, and bad holds what a
// test puts there.
const homelab = `
-- .hearth.yaml --
clusters: {main: {path: kubernetes/main, entry: {path: kubernetes/main/apps}}}
-- kubernetes/main/apps/good.yaml --
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: good, namespace: flux-system}
spec: {interval: 1h, prune: true, path: ./kubernetes/main/good, sourceRef: {kind: GitRepository, name: flux-system}}
-- kubernetes/main/apps/bad.yaml --
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: bad, namespace: flux-system}
spec: {interval: 1h, prune: true, path: ./kubernetes/main/bad, sourceRef: {kind: GitRepository, name: flux-system}}
-- kubernetes/main/good/config.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: good, namespace: home}
-- kubernetes/main/bad/config.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: bad, namespace: home}
`

// TestBadInput holds check to its promise: whatever stands in a tree, there is
// a finding about it, and the rest is judged.
func TestBadInput(t *testing.T) {
	const bad = "kubernetes/main/bad/config.yaml"
	text := func(name, content string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	laughs := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\na: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		laughs += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 10), ", "))
	}
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		want   []string
	}{
		{"broken YAML", text(bad, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad\n"), []string{bad + ":", "not valid YAML"}},
		{"a tab", text(bad, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: bad\n"), []string{bad + ":4", "not valid YAML"}},
		{"a key given twice", text(bad, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndata:\n  a: b\n  a: c\n"), []string{bad + ":6", `key "a" is given again`}},
		{"not UTF-8", text(bad, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndata: {a: \xff}\n"), []string{bad + ":4", "not UTF-8"}},
		{"anchors that explode", text(bad, laughs), []string{bad + ":1", "once its aliases are resolved"}},
		{"an anchor that contains itself", text(bad, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndata: &a {b: *a}\n"), []string{bad + ":4", "contains itself"}},
		{"a huge file", func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, bad), 100<<20); err != nil {
				t.Fatal(err)
			}
		}, []string{bad, "larger than"}},
		{"a link that leads out", func(t *testing.T, dir string) {
			if err := os.Symlink(filepath.Join(t.TempDir(), "x.yaml"), filepath.Join(dir, "kubernetes/main/bad/out.yaml")); err != nil {
				t.Fatal(err)
			}
		}, []string{"kubernetes/main/bad/out.yaml", "leads out of the repository, or nowhere"}},
		{"a link to itself", func(t *testing.T, dir string) {
			if err := os.Symlink("loop.yaml", filepath.Join(dir, "kubernetes/main/bad/loop.yaml")); err != nil {
				t.Fatal(err)
			}
		}, []string{"kubernetes/main/bad/loop.yaml", "leads out of the repository, or nowhere"}},
		{"a folder linked to itself", func(t *testing.T, dir string) {
			if err := os.Symlink(".", filepath.Join(dir, "kubernetes/main/bad/again")); err != nil {
				t.Fatal(err)
			}
		}, nil},
		{"a cycle of kustomizations", func(t *testing.T, dir string) {
			text("kubernetes/main/bad/kustomization.yaml", "resources: [config.yaml, ../other]\n")(t, dir)
			text("kubernetes/main/other/kustomization.yaml", "resources: [../bad]\n")(t, dir)
		}, []string{"Kustomization flux-system/bad cannot be built", "cycle"}},
		{"a Kustomization that applies itself", func(t *testing.T, dir string) {
			text("kubernetes/main/apps/bad.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: bad, namespace: flux-system}\n"+
				"spec: {interval: 1h, prune: true, path: ./kubernetes/main/apps, sourceRef: {kind: GitRepository, name: flux-system}}\n")(t, dir)
		}, nil},
		{"a pipe", func(t *testing.T, dir string) {
			if err := mkfifo(filepath.Join(dir, "kubernetes/main/bad/pipe.yaml")); err != nil {
				t.Skip(err)
			}
		}, []string{"kubernetes/main/bad/pipe.yaml", "is no regular file"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := ruletest.Write(t, txtar.Parse([]byte(homelab)))
			test.damage(t, dir)
			good := &rule.Rule{Name: "good", Severity: rule.Info, Check: func(p *rule.Pass) {
				for _, o := range p.Clusters[0].State.OfKind("", "ConfigMap") {
					if o.GetName() == "good" {
						p.Report(rule.Finding{Place: o.Place(), Message: "good is judged"})
					}
				}
			}}
			began := time.Now()
			report, err := rule.Check(t.Context(), rule.Request{Path: dir, Options: rule.Options{Rules: append([]*rule.Rule{good}, Rules...)}})
			if err != nil {
				t.Fatal(err)
			}
			if spent := time.Since(began); spent > time.Minute {
				t.Errorf("it took %s", spent)
			}
			var told []string
			judged := false
			for _, f := range report.Findings {
				told = append(told, f.Place.String()+": "+f.Message)
				judged = judged || f.Rule == "good"
			}
			if !judged {
				t.Errorf("good is not judged: %q", told)
			}
			if len(test.want) == 0 && len(told) > 1 {
				t.Errorf("there is nothing to be found: %q", told)
			}
			for _, want := range test.want {
				if !strings.Contains(strings.Join(told, "\n"), want) {
					t.Errorf("%q is missing in\n%s", want, strings.Join(told, "\n"))
				}
			}
		})
	}
}
