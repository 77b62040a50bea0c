package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearth/charts"
	"hearth/internal/repo"
	"hearth/internal/rule"
	"hearth/internal/rule/ruletest"
	"hearth/internal/source"
)

// request checks a folder with the charts that its mapping and the binary have.
func request(t testing.TB, dir string) rule.Request {
	cache := t.TempDir()
	return rule.Request{Path: dir, Options: rule.Options{Rules: All(), Charts: func(r *repo.Repository) (*source.Charts, error) {
		return source.NewCharts(source.ChartOptions{
			Mapping: r.Config.Sources, Root: r.Root, CacheDir: cache, Embedded: charts.FS, Offline: true, StandIn: true,
		})
	}}}
}

// TestMadeHomelab holds the homelab that benchmarks check to the rules: what
// is made in it has no findings.
func TestMadeHomelab(t *testing.T) {
	report, err := rule.Check(t.Context(), request(t, ruletest.Homelab(t, 60)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		if strings.Contains(f.Place.File, "/made-") || f.Severity == rule.Error {
			t.Errorf("%s: %s: %s: %s", f.Place, f.Severity, f.Rule, f.Message)
		}
	}
}

// BenchmarkApplications tells how the time grows with the homelab.
func BenchmarkApplications(b *testing.B) {
	for _, applications := range []int{250, 500, 1000, 2000} {
		b.Run(fmt.Sprint(applications), func(b *testing.B) {
			q := request(b, ruletest.Homelab(b, applications))
			for b.Loop() {
				report, err := rule.Check(b.Context(), q)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(report.Findings)), "findings")
			}
		})
	}
}

// BenchmarkCorpus checks a real homelab, without the cache and with it.
func BenchmarkCorpus(b *testing.B) {
	dir := filepath.Join("..", "..", "..", "..", "shared", "corpora", "k8s-homelab")
	if _, err := os.Stat(dir); err != nil {
		b.Skipf("the corpus is not at hand: %v", err)
	}
	q := request(b, dir)
	check := func(b *testing.B) {
		for b.Loop() {
			if _, err := rule.Check(b.Context(), q); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("cold", check)
	q.Cache = &rule.Cache{Dir: b.TempDir(), Charts: b.TempDir()}
	if _, err := rule.Check(b.Context(), q); err != nil {
		b.Fatal(err)
	}
	b.Run("warm", check)
}
