package secrets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"hearth/internal/manifest/edit"
	"hearth/internal/rule"
	"hearth/internal/rule/ruletest"
)

// TestFixes applies the edits of findings: nothing may be found afterwards.
func TestFixes(t *testing.T) {
	for _, tt := range []struct {
		rule    *rule.Rule
		archive string
		want    string // in the file of the finding afterwards
	}{
		{secretRefresh, "seconds", "  refreshInterval: 1m\n"},
		{secretReload, "release", "      server:\n        containers:\n          app:\n"},
		{secretReload, "release", "        annotations:\n          secret.reloader.stakater.com/reload: immich-secret\n"},
		{secretReload, "manifest", "    secret.reloader.stakater.com/reload: other-secret,immich-secret\n"},
	} {
		t.Run(tt.rule.Name+"-"+tt.archive, func(t *testing.T) {
			archive, err := txtar.ParseFile(filepath.Join("testdata", tt.rule.Name, tt.archive+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			dir := ruletest.Write(t, archive)
			findings := ruletest.Findings(t, tt.rule, dir)
			if len(findings) != 1 || len(findings[0].Edits) == 0 {
				t.Fatalf("findings with edits: %+v", findings)
			}
			file := filepath.Join(dir, findings[0].Edits[0].File)
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			after, err := edit.Apply(before, findings[0].Edits...)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(after), tt.want) {
				t.Errorf("the file does not hold %q:\n%s", tt.want, after)
			}
			if err := os.WriteFile(file, after, 0o644); err != nil {
				t.Fatal(err)
			}
			if left := ruletest.Findings(t, tt.rule, dir); len(left) > 0 {
				t.Errorf("found after the edit: %s", left[0].Message)
			}
		})
	}
}

// TestNoUnsafeFixes holds that nothing is edited where the place of the edit
// is not certain.
func TestNoUnsafeFixes(t *testing.T) {
	for _, tt := range []struct {
		rule    *rule.Rule
		archive string
	}{{secretRefresh, "patched"}, {secretReload, "search"}} {
		archive, err := txtar.ParseFile(filepath.Join("testdata", tt.rule.Name, tt.archive+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ruletest.Findings(t, tt.rule, ruletest.Write(t, archive)) {
			if len(f.Edits) > 0 && f.Object.Kind != "ClusterExternalSecret" {
				t.Errorf("%s: %s has edits", tt.archive, f.Message)
			}
		}
	}
}

// TestNoValues holds that no finding tells a value.
func TestNoValues(t *testing.T) {
	archives, err := filepath.Glob("testdata/secret-*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r := rules()[filepath.Base(filepath.Dir(name))]
		for _, f := range ruletest.Findings(t, r, ruletest.Write(t, archive)) {
			for _, value := range []string{"hunter2", "a-real-password", "mySecretPassword123", "0f1e2d3c4b5a", "changeme", "8x2k5q", "dBjftJeZ4"} {
				if strings.Contains(f.Message+f.Fix+f.Text, value) {
					t.Errorf("%s: a finding tells a value: %s", name, f.Message)
				}
			}
			if (r == secretInGit || r == secretHardcoded) && !f.Sensitive {
				t.Errorf("%s: the line of a finding may be shown: %s", name, f.Message)
			}
		}
	}
}

func rules() map[string]*rule.Rule {
	all := map[string]*rule.Rule{}
	for _, r := range Rules {
		all[r.Name] = r
	}
	return all
}
