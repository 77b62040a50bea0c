package desired

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"hearth/charts"
	"hearth/internal/repo"
	"hearth/internal/source"
)

const corpus = "../../../../shared/corpora/k8s-homelab"

// TestCorpus builds a real homelab: everything in it can be built.
func TestCorpus(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("the corpus is not there:", err)
	}
	r, err := repo.Open(t.Context(), corpus, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Clusters {
		s := build(t, r, c)
		for _, k := range s.Kustomizations {
			if k.Err != nil {
				t.Errorf("%s: %v", k.Object.Ref, k.Err)
			}
			for _, u := range k.Undefined {
				t.Logf("%s: %s undefined at %s", k.Object.Ref, u.Name, u.Place)
			}
		}
		hand, standIn := 0, 0
		for _, r := range s.Releases {
			if r.Err != nil {
				t.Errorf("%s: %v", r.Object.Ref, r.Err)
			}
			if r.Chart != nil {
				hand++
			}
			if r.StandIn {
				standIn++
			}
		}
		t.Logf("%s: %d Kustomizations, %d objects, %d releases, %d charts at hand (%d stand-ins), %d rendered objects", c.Name, len(s.Kustomizations), len(s.Objects), len(s.Releases), hand, standIn, len(s.rendered))
	}
}

func build(t testing.TB, r *repo.Repository, c *repo.Cluster) *State {
	t.Helper()
	fetch, err := source.NewCharts(source.ChartOptions{
		Mapping: r.Config.Sources, Root: r.Root, CacheDir: filepath.Join(t.TempDir(), "charts"),
		Embedded: charts.FS, Offline: true, StandIn: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Build(context.Background(), r, c, Options{Charts: fetch})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func BenchmarkCorpus(b *testing.B) {
	if _, err := os.Stat(corpus); err != nil {
		b.Skip("the corpus is not there:", err)
	}
	for b.Loop() {
		r, err := repo.Open(b.Context(), corpus, repo.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range r.Clusters {
			build(b, r, c)
		}
	}
}
