package routing

import (
	"os"
	"path/filepath"
	"testing"

	"hearth/internal/rule/ruletest"
)

// TestRealTrees runs the rules over whole homelabs: each finding stands in a
// file that is there, and the example has none.
func TestRealTrees(t *testing.T) {
	for dir, clean := range map[string]bool{
		"../../../../shared/corpora/k8s-homelab": false,
		"../../../examples/homelab":              true,
	} {
		t.Run(filepath.Base(filepath.Dir(dir)), func(t *testing.T) {
			if _, err := os.Stat(dir); err != nil {
				t.Skip("the homelab is not there:", err)
			}
			pass := ruletest.Pass(t, Rules[0], dir)
			for _, r := range Rules {
				before := len(pass.Findings())
				pass.Rule = r
				r.Check(pass)
				for _, f := range pass.Findings()[before:] {
					t.Logf("%s %s %s: %s [%s] fix: %s", f.Severity, r.Name, f.Place, f.Message, f.Text, f.Fix)
					if _, err := os.Stat(filepath.Join(dir, f.Place.File)); !f.Place.Known() || err != nil {
						t.Errorf("%s is found at %q, which is no file of the repository: %s", r.Name, f.Place, f.Message)
					}
				}
			}
			if clean && len(pass.Findings()) > 0 {
				t.Errorf("%d findings in a homelab that has no faults", len(pass.Findings()))
			}
			for _, note := range pass.Notes() {
				t.Log(note)
			}
		})
	}
}
