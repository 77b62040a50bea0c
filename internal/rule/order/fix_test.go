package order

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"hearth/internal/manifest/edit"
	"hearth/internal/rule"
	"hearth/internal/rule/ruletest"
)

// TestFix puts right what can be: nothing is found afterwards.
func TestFix(t *testing.T) {
	for _, name := range []string{"document-wrong", "half"} {
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(filepath.Join("testdata", dependsOnMissing.Name, name+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			dir := ruletest.Write(t, archive)
			edits := map[string][]edit.Edit{}
			for _, f := range ruletest.Findings(t, dependsOnMissing, dir) {
				for _, e := range f.Edits {
					edits[e.File] = append(edits[e.File], e)
				}
			}
			if len(edits) == 0 {
				t.Fatal("nothing is put right")
			}
			for file, list := range edits {
				file = filepath.Join(dir, file)
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if data, err = edit.Apply(data, list...); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, data, 0o644); err != nil {
					t.Fatal(err)
				}
				t.Logf("%s", data)
			}
			for _, f := range ruletest.Findings(t, dependsOnMissing, dir) {
				t.Errorf("%s: %s", f.Place, f.Message)
			}
		})
	}
}

// TestNoFix leaves alone what a dependency would not put right.
func TestNoFix(t *testing.T) {
	for _, name := range []string{"other-side-waits", "below", "together", "store", "document-wrong-charts-unknown"} {
		archive, err := txtar.ParseFile(filepath.Join("testdata", dependsOnMissing.Name, name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		findings := ruletest.Findings(t, dependsOnMissing, ruletest.Write(t, archive))
		if len(findings) == 0 {
			t.Errorf("%s: nothing is found", name)
		}
		for _, f := range findings {
			if len(f.Edits) > 0 {
				t.Errorf("%s: edits %v", name, f.Edits)
			}
		}
	}
}

// TestSeverity tells what stops an apply from what is tried again.
func TestSeverity(t *testing.T) {
	for name, want := range map[string]rule.Severity{
		"document-wrong": rule.Error, "together": rule.Error, "below": rule.Error,
		"document-wrong-charts-unknown": rule.Info, "rendered": rule.Info, "store": rule.Info,
	} {
		archive, err := txtar.ParseFile(filepath.Join("testdata", dependsOnMissing.Name, name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ruletest.Findings(t, dependsOnMissing, ruletest.Write(t, archive)) {
			if f.Severity != want {
				t.Errorf("%s: %s is reported as %s; want %s", name, f.Message, f.Severity, want)
			}
		}
	}
}
