package graph

import (
	"fmt"
	"os"
	"slices"
	"testing"
)

const corpus = "../../../shared/corpora/k8s-homelab"

func needCorpus(t testing.TB) {
	t.Helper()
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("the corpus is not there:", err)
	}
}

// TestCorpus holds for any homelab that works: nothing that it needs is surely
// missing, nothing waits for itself, and all is told the same way twice.
func TestCorpus(t *testing.T) {
	needCorpus(t)
	for _, s := range statesOf(t, corpus) {
		g := Build(s)
		n := g.Network()
		for _, node := range n.Nodes {
			if node.Missing {
				t.Errorf("%s: %s is said to be missing", s.Cluster.Name, node.ID)
			}
			if n.Node(node.ID) != node {
				t.Errorf("%s: %s is not found by its ID", s.Cluster.Name, node.ID)
			}
		}
		if cycles := g.Cycles(); len(cycles) > 0 {
			t.Errorf("%s: cycles %v", s.Cluster.Name, cycles)
		}
		if got := len(g.Sequence()); got != len(s.Kustomizations) {
			t.Errorf("%s: %d of %d Kustomizations are in order", s.Cluster.Name, got, len(s.Kustomizations))
		}
		again := Build(s).Network()
		if first, second := edgeLines(n), edgeLines(again); !slices.Equal(first, second) {
			t.Errorf("%s: the network differs the second time", s.Cluster.Name)
		}
		counts := map[Class]int{}
		for _, node := range n.Nodes {
			counts[node.Class]++
		}
		for _, class := range []Class{ClassKustomization, ClassRelease, ClassExternalSecret, ClassSecret, ClassDatabase, ClassRoute, ClassGateway, ClassSource, ClassImage, ClassStore, ClassStorage, ClassItem} {
			if counts[class] == 0 {
				t.Errorf("%s has no %s", s.Cluster.Name, class)
			}
		}
	}
}

func edgeLines(n *Network) []string {
	lines := make([]string, len(n.Edges))
	for i, e := range n.Edges {
		lines[i] = fmt.Sprintf("%s %s %s hard=%v", e.From.ID, e.Kind, e.To.ID, e.Hard)
	}
	return lines
}

// BenchmarkCorpus builds the graphs of all clusters, with nodes and edges.
func BenchmarkCorpus(b *testing.B) {
	needCorpus(b)
	states := statesOf(b, corpus)
	for b.Loop() {
		for _, s := range states {
			Build(s).Network()
		}
	}
}
