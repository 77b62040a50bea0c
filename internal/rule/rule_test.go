package rule_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"hearth/internal/manifest/edit"
	"hearth/internal/repo"
	"hearth/internal/rule"
	"hearth/internal/rule/ruletest"
)

// lab is a homelab of one cluster whose applications are ConfigMaps.
const lab = `
-- .hearth.yaml --
clusters: {main: {path: main, entry: {path: main}}}
-- main/kustomization.yaml --
resources: [one.yaml, two.yaml]
-- main/one.yaml --
apiVersion: v1
kind: ConfigMap
metadata:
  name: one
  namespace: home
data:
  bad: value
-- main/two.yaml --
apiVersion: v1
kind: ConfigMap
metadata:
  name: two
  namespace: media
data:
  bad: value
`

// badValue flags each ConfigMap with a key bad, and knows what to write instead.
func badValue() *rule.Rule {
	return &rule.Rule{Name: "bad-value", Topic: "test", Severity: rule.Error, Title: "No value is bad", Fixes: true, Check: func(p *rule.Pass) {
		for _, c := range p.Clusters {
			for _, o := range c.State.OfKind("", "ConfigMap") {
				data, _ := o.Object["data"].(map[string]any)
				if value, bad := data["bad"]; bad && value != "good" {
					place := o.Place("data", "bad")
					p.Report(rule.Finding{
						Place: place, Text: fmt.Sprint(value), Object: o.Ref, Message: "the value is bad", Fix: "bad: good",
						Edits: []edit.Edit{edit.Set(place.File, place.Line, []string{"data", "bad"}, "good")},
					})
				}
			}
		}
	}}
}

// named flags each ConfigMap as a whole.
func named() *rule.Rule {
	return &rule.Rule{Name: "named", Topic: "test", Severity: rule.Info, Title: "Nothing has a name", Check: func(p *rule.Pass) {
		for _, c := range p.Clusters {
			for _, o := range c.State.OfKind("", "ConfigMap") {
				p.Report(rule.Finding{Place: o.Place("metadata", "name"), Object: o.Ref, Message: "it has a name"})
			}
		}
	}}
}

// write writes a homelab: an archive's files, or changed ones of lab.
func write(t testing.TB, archives ...string) string {
	t.Helper()
	all := &txtar.Archive{}
	for _, a := range archives {
		for _, f := range txtar.Parse([]byte(a)).Files {
			all.Files = append(all.Files, f)
		}
	}
	return ruletest.Write(t, all)
}

// put changes one file of a folder.
func put(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run judges a folder.
func run(t testing.TB, dir string, o rule.Options) (*rule.Report, error) {
	t.Helper()
	r, err := repo.Open(t.Context(), dir, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rule.Run(t.Context(), r, o)
}

// lines tells findings a line each.
func lines(findings []rule.Finding) string {
	var out strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&out, "%s:%d %s %s: %s\n", f.Place, f.Column, f.Severity, f.Rule, f.Message)
	}
	return out.String()
}
