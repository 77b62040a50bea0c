package integration_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/runtime/conditions"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	chainDepth   = 10
	chainObjects = 10
)

// chains are Kustomizations of ten objects each, each tenth of them a chain in
// which one depends on the one before.
func chains(count int) (files map[string]string, kustomizations []string) {
	files = map[string]string{}
	for i := range count {
		name := fmt.Sprintf("k%04d", i)
		for j := range chainObjects {
			files[fmt.Sprintf("all/%s/%d.yaml", name, j)] = configMap(fmt.Sprintf("%s-%d", name, j), "1")
		}
		spec := fmt.Sprintf("{path: ./all/%s", name)
		if i%chainDepth > 0 {
			spec += fmt.Sprintf(", dependsOn: [{name: k%04d}]", i-1)
		}
		kustomizations = append(kustomizations, name, spec+"}")
	}
	return files, kustomizations
}

// TestKustomizationChains brings some chains to Ready, and looks them all over
// again without a write.
func TestKustomizationChains(t *testing.T) {
	t.Parallel()
	files, kustomizations := chains(30)
	g := newGitOps(t, files)
	config, requests := counting(cluster(t).Config())
	g.run(config)
	for i := 0; i < len(kustomizations); i += 2 {
		g.kustomization(kustomizations[i], kustomizations[i+1])
	}
	g.await("ready: all chains", func() bool { return g.readyCount() == len(kustomizations)/2 })
	g.await("a reconcile that asks about no object", func() bool {
		requests.take()
		g.reconcile("k0029")
		_, asked := requests.take()
		return len(asked) == 0
	})
}

func (g *gitops) readyCount() (ready int) {
	g.t.Helper()
	var list kustomizev1.KustomizationList
	if err := g.client.List(g.t.Context(), &list, client.InNamespace(g.namespace)); err != nil {
		g.t.Fatal(err)
	}
	for i := range list.Items {
		if k := &list.Items[i]; conditions.IsReady(k) && k.Status.ObservedGeneration == k.Generation && k.Status.LastAppliedRevision != "" {
			ready++
		}
	}
	return ready
}

// BenchmarkKustomizationChains brings chains of Kustomizations to Ready: 250,
// 500 and 1,000 of them, or as many as HEARTH_CHAINS says. Run it with
// -benchtime 1x; CPU seconds are those of the whole process, the API server's
// included.
func BenchmarkKustomizationChains(b *testing.B) {
	counts := []int{250, 500, 1000}
	if n, err := strconv.Atoi(os.Getenv("HEARTH_CHAINS")); err == nil {
		counts = []int{n}
	}
	for _, count := range counts {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			for b.Loop() {
				files, kustomizations := chains(count)
				g := startGitOps(b, files)
				began, cpu := time.Now(), cpuTime()
				for i := 0; i < len(kustomizations); i += 2 {
					g.kustomization(kustomizations[i], kustomizations[i+1])
				}
				for deadline := began.Add(10 * time.Minute); g.readyCount() < count; time.Sleep(time.Duration(count) * 2 * time.Millisecond) {
					if time.Now().After(deadline) {
						b.Fatalf("%d of %d are ready", g.readyCount(), count)
					}
				}
				b.ReportMetric(time.Since(began).Seconds(), "s")
				b.ReportMetric((cpuTime() - cpu).Seconds(), "cpu-s")
			}
		})
	}
}

// BenchmarkKustomizationLook lets 100 Kustomizations of ten objects each look
// at their unchanged revision every ten seconds, and tells the CPU seconds of
// one look at all of them, the idle API server's included, and the writes of
// all looks.
func BenchmarkKustomizationLook(b *testing.B) {
	const count, looks, every = 100, 3, 10 * time.Second
	for b.Loop() {
		files, kustomizations := chains(count)
		g := newGitOps(b, files)
		config, requests := counting(cluster(b).Config())
		g.run(config)
		for i := 0; i < len(kustomizations); i += 2 {
			g.kustomization(kustomizations[i], strings.Replace(kustomizations[i+1], "{", "{interval: 10s, ", 1))
		}
		g.await("ready: all", func() bool { return g.readyCount() == count })
		time.Sleep(2 * every) // a look after which nothing is new
		requests.take()
		cpu := cpuTime()
		time.Sleep(looks * every)
		b.ReportMetric((cpuTime()-cpu).Seconds()/looks, "cpu-s-look")
		writes, asked := requests.take()
		b.ReportMetric(float64(len(writes)), "writes")
		b.ReportMetric(float64(len(asked)), "dry-runs")
	}
}
