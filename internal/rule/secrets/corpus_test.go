package secrets

import (
	"os"
	"path/filepath"
	"testing"

	"hearth/internal/rule"
	"hearth/internal/rule/ruletest"
)

// TestCorpus runs the rules over a real repository. What they find there is
// read by people (-v); that every finding stands somewhere is checked here.
func TestCorpus(t *testing.T) {
	for _, dir := range []string{"../../../../shared/corpora/k8s-homelab", "../../../examples/homelab"} {
		t.Run(filepath.Base(filepath.Dir(dir))+"-"+filepath.Base(dir), func(t *testing.T) {
			if _, err := os.Stat(dir); err != nil {
				t.Skipf("%s is not here", dir)
			}
			pass := ruletest.Pass(t, Rules[0], dir)
			for _, r := range Rules {
				p := &rule.Pass{Context: t.Context(), Rule: r, Repository: pass.Repository, Config: pass.Config, Clusters: pass.Clusters}
				r.Check(p)
				t.Logf("%s: %d findings", r.Name, len(p.Findings()))
				for _, f := range p.Findings() {
					t.Logf("%s %s: %s (%d edits)", r.Name, f.Place, f.Message, len(f.Edits))
					if !f.Place.Known() {
						t.Errorf("%s: %s stands nowhere", r.Name, f.Message)
						continue
					}
					if _, err := os.Stat(filepath.Join(pass.Repository.Root, f.Place.File)); err != nil {
						t.Errorf("%s: %s stands in a file that does not exist: %v", r.Name, f.Message, err)
					}
				}
				for _, n := range p.Notes() {
					t.Logf("%s note: %s", r.Name, n)
				}
			}
		})
	}
}

func BenchmarkCorpus(b *testing.B) {
	const dir = "../../../../shared/corpora/k8s-homelab"
	if _, err := os.Stat(dir); err != nil {
		b.Skipf("%s is not here", dir)
	}
	pass := ruletest.Pass(b, Rules[0], dir)
	for _, r := range Rules {
		b.Run(r.Name, func(b *testing.B) {
			for b.Loop() {
				r.Check(&rule.Pass{Context: b.Context(), Rule: r, Repository: pass.Repository, Config: pass.Config, Clusters: pass.Clusters})
			}
		})
	}
}
