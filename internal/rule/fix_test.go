package rule_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/manifest/edit"
	"hearth/internal/rule"
)

func TestFix(t *testing.T) {
	dir := write(t, lab)
	put(t, dir, "main/one.yaml", strings.Replace(lab[strings.Index(lab, "-- main/one.yaml --")+20:strings.Index(lab, "-- main/two.yaml")], "bad: value", "bad: 'value'   # why", 1))
	script := filepath.Join(dir, "main", "one.yaml")
	if err := os.Chmod(script, 0o640); err != nil {
		t.Fatal(err)
	}
	stubborn := &rule.Rule{Name: "stubborn", Severity: rule.Warning, Check: func(p *rule.Pass) {
		for _, o := range p.Clusters[0].State.OfKind("", "ConfigMap") {
			place := o.Place("metadata", "name")
			p.Report(rule.Finding{Place: place, Object: o.Ref, Message: "never content", Edits: []edit.Edit{
				edit.Set(place.File, place.Line, []string{"metadata", "labels", "seen"}, "yes"),
			}})
		}
	}}
	report, err := rule.Check(t.Context(), rule.Request{Path: dir, Fix: true, Options: rule.Options{Rules: []*rule.Rule{badValue(), stubborn}}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("main/one.yaml:7:9 error bad-value: the value is bad\nmain/two.yaml:7:8 error bad-value: the value is bad\n", lines(report.Fixed)); diff != "" {
		t.Errorf("fixed (-want +got):\n%s", diff)
	}
	if len(report.Findings) != 2 || report.Findings[0].Rule != "stubborn" {
		t.Errorf("left: %s", lines(report.Findings))
	}
	got, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(got), "bad: 'good'   # why\n") {
		t.Errorf("the file is now\n%s", got)
	}
	if info, err := os.Stat(script); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode is now %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "main", ".hearth*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestFixConflicts makes edits one round after the other where they get in each
// other's way.
func TestFixConflicts(t *testing.T) {
	const rest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: home}\ndata:\n  x: y\n"
	dir := write(t, lab)
	put(t, dir, "main/one.yaml", rest)
	put(t, dir, "main/two.yaml", strings.ReplaceAll(rest, "one", "two"))
	// Both want another value of the same field; the second one wants it only
	// once the first is content.
	wants := func(name, from, to string) *rule.Rule {
		return &rule.Rule{Name: name, Severity: rule.Error, Check: func(p *rule.Pass) {
			for _, o := range p.Clusters[0].State.OfKind("", "ConfigMap") {
				data, _ := o.Object["data"].(map[string]any)
				if data["x"] == from {
					place := o.Place("data", "x")
					p.Report(rule.Finding{Place: place, Object: o.Ref, Message: "it is " + from, Edits: []edit.Edit{
						edit.Set(place.File, place.Line, []string{"data", "x"}, to),
					}})
				}
			}
		}}
	}
	rules := []*rule.Rule{wants("a", "y", "z"), wants("b", "y", "w"), wants("c", "z", "end")}
	report, err := rule.Check(t.Context(), rule.Request{Path: dir, Fix: true, Options: rule.Options{Rules: rules}})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Findings) != 0 {
		t.Errorf("left: %s", lines(report.Findings))
	}
	if got := lines(report.Fixed); strings.Count(got, "it is y") != 2 || strings.Count(got, "it is z") != 2 {
		t.Errorf("fixed: %s", got)
	}
	data, err := os.ReadFile(filepath.Join(dir, "main", "one.yaml"))
	if want := strings.Replace(rest, "x: y", "x: end", 1); err != nil || string(data) != want {
		t.Errorf("the file is now\n%s", data)
	}
}

// TestFixOnlyWhatIsNew leaves alone what the change did not bring.
func TestFixOnlyWhatIsNew(t *testing.T) {
	dir := write(t, lab)
	commit(t, dir)
	put(t, dir, "main/one.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: home}\ndata:\n  bad: worse\n")
	report, err := rule.Check(t.Context(), rule.Request{Path: dir, Fix: true, Since: "HEAD", Options: rule.Options{Rules: []*rule.Rule{badValue()}}})
	if err != nil || len(report.Fixed) != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	old, err := os.ReadFile(filepath.Join(dir, "main", "two.yaml"))
	if err != nil || !strings.Contains(string(old), "bad: value") {
		t.Errorf("two.yaml is now\n%s", old)
	}
}

// TestFixLeavesLinksAlone does not replace a link by a file.
func TestFixLeavesLinksAlone(t *testing.T) {
	dir := write(t, lab, "-- shared/two.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: two}\ndata:\n  bad: value\n")
	linked := filepath.Join(dir, "main", "two.yaml")
	if err := os.Remove(linked); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../shared/two.yaml", linked); err != nil {
		t.Fatal(err)
	}
	report, err := rule.Check(t.Context(), rule.Request{Path: dir, Fix: true, Options: rule.Options{Rules: []*rule.Rule{badValue()}}})
	if err != nil || len(report.Fixed) != 1 || len(report.Findings) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	if info, err := os.Lstat(linked); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
}

// TestFixRemovesIgnoresThatSilenceNothing takes out a comment with what it was
// there for, and leaves one that still silences something, or may once the rule
// can judge more.
func TestFixRemovesIgnoresThatSilenceNothing(t *testing.T) {
	dir := write(t, lab)
	head := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: home}\ndata:\n"
	put(t, dir, "main/one.yaml", head+"  # hearth:ignore bad-value it is a test\n  # kept\n  x: 1h # hearth:ignore bad-value another\n  bad: value # hearth:ignore bad-value needed\n")
	put(t, dir, "main/two.yaml", strings.Replace(head, "one", "two", 1)+"  # hearth:ignore unsure it is a test\n  text: |\n    # hearth:ignore bad-value part of a text\n")
	unsure := &rule.Rule{Name: "unsure", Severity: rule.Error, Check: func(p *rule.Pass) { p.Note("not judged") }}
	report, err := rule.Check(t.Context(), rule.Request{Path: dir, Fix: true, Options: rule.Options{Rules: []*rule.Rule{badValue(), unsure, rule.Ignore}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := lines(report.Fixed); strings.Count(got, "main/one.yaml:") != 2 || strings.Contains(got, "two.yaml") {
		t.Errorf("fixed: %s", got)
	}
	data, err := os.ReadFile(filepath.Join(dir, "main", "one.yaml"))
	if want := head + "  # kept\n  x: 1h\n  bad: value # hearth:ignore bad-value needed\n"; err != nil || string(data) != want {
		t.Errorf("the file is now\n%s", data)
	}
	if got := lines(report.Findings); strings.Count(got, "main/two.yaml:") != 2 {
		t.Errorf("left: %s", got)
	}
}
