package order

import (
	"os"
	"path/filepath"
	"testing"

	"hearth/internal/rule/ruletest"
)

// homelabs are repositories to try the rules on.
var homelabs = []string{"../../../../shared/corpora/k8s-homelab", "../../../examples/homelab"}

// TestHomelabs runs the rules on whole homelabs: each finding has a place in
// a file that is there, and says something.
func TestHomelabs(t *testing.T) {
	for _, dir := range homelabs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			if _, err := os.Stat(dir); err != nil {
				t.Skip("the homelab is not there:", err)
			}
			pass := ruletest.Pass(t, nil, dir)
			for _, r := range Rules {
				run := *pass
				run.Rule = r
				r.Check(&run)
				for _, f := range run.Findings() {
					t.Logf("%s %s: %s: %s [%s]", f.Severity, r.Name, f.Place, f.Message, f.Fix)
					if _, err := os.Stat(filepath.Join(dir, f.Place.File)); err != nil || f.Place.Line == 0 || f.Message == "" {
						t.Errorf("%s: a finding without a place that is there: %+v", r.Name, f)
					}
				}
				for _, note := range run.Notes() {
					t.Logf("%s: not judged: %s", r.Name, note)
				}
			}
		})
	}
}

func BenchmarkRules(b *testing.B) {
	if _, err := os.Stat(homelabs[0]); err != nil {
		b.Skip("the homelab is not there:", err)
	}
	pass := ruletest.Pass(b, nil, homelabs[0])
	for _, r := range Rules {
		b.Run(r.Name, func(b *testing.B) {
			for b.Loop() {
				run := *pass
				run.Rule = r
				r.Check(&run)
			}
		})
	}
}
