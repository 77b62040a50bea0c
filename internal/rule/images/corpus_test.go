package images

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hearth/internal/domain"
	"hearth/internal/rule/ruletest"
)

// TestHomelabs judges whole homelabs: each finding points at text that stands
// where it says, and the example has none.
func TestHomelabs(t *testing.T) {
	for dir, clean := range map[string]bool{
		"../../../../shared/corpora/k8s-homelab": false,
		"../../../examples/homelab":              true,
	} {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			if _, err := os.Stat(dir); err != nil {
				t.Skip("the homelab is not there:", err)
			}
			pass := ruletest.Pass(t, Rules[0], dir)
			for _, r := range Rules {
				before, notes, began := len(pass.Findings()), len(pass.Notes()), time.Now()
				pass.Rule = r
				r.Check(pass)
				t.Logf("%s: %d findings in %s", r.Name, len(pass.Findings())-before, time.Since(began))
				for _, f := range pass.Findings()[before:] {
					t.Logf("%s %s %s: %s [%s] fix: %s %v", f.Severity, r.Name, f.Place, f.Message, f.Text, f.Fix, f.Edits)
					if line := lineAt(t, dir, f.Place); !strings.Contains(line, f.Text) {
						t.Errorf("%s finds %q at %s, where %q stands", r.Name, f.Text, f.Place, line)
					}
				}
				for _, note := range pass.Notes()[notes:] {
					t.Log(note)
				}
			}
			if clean && len(pass.Findings()) > 0 {
				t.Errorf("%d findings in a homelab that has no faults", len(pass.Findings()))
			}
		})
	}
}

func lineAt(t *testing.T, dir string, place domain.Place) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, place.File))
	if err != nil || !place.Known() {
		t.Errorf("%q is no file of the repository: %v", place, err)
	}
	lines := strings.Split(string(data), "\n")
	if place.Line > len(lines) {
		t.Fatalf("%s has no such line", place)
	}
	return lines[max(place.Line-1, 0)]
}
