package integration_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/standin"
	"hearth/internal/standin/kubelet"
)

// BenchmarkIdlePods measures what pods cost that just run: the seconds of a core
// that the process uses in a minute and a half with them, less those that it
// used as long before in the same run, and the memory that they add to it.
// HEARTH_PODS is how many; otherwise there are 5,000, on nodes of 250 each. Run
// it with -benchtime 1x.
func BenchmarkIdlePods(b *testing.B) {
	pods, err := strconv.Atoi(os.Getenv("HEARTH_PODS"))
	if err != nil || pods <= 0 {
		pods = 5000
	}
	const perDeployment = 100
	deployments := (pods + perDeployment - 1) / perDeployment
	var nodes []kubelet.Node
	for i := range pods/200 + 1 {
		nodes = append(nodes, kubelet.Node{Name: fmt.Sprintf("node-%03d", i+1), CPU: "64"})
	}
	s := openStage(b, standin.Options{Nodes: nodes})
	for b.Loop() {
		time.Sleep(settling)
		alone := idle(b)
		before := inUse()
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "bench-"}}
		s.make(b, ns)
		for i := range deployments {
			d := deploymentOf(ns.Name, fmt.Sprintf("app-%03d", i), perDeployment)
			s.make(b, d)
			for !allAvailable(b, s, d) {
				time.Sleep(time.Second)
			}
		}
		time.Sleep(settling)
		added := inUse() - before
		with := idle(b)
		b.ReportMetric(float64(added)/(1<<20), "MiB-added")
		b.ReportMetric(100*(with-alone).Seconds()/measured.Seconds(), "%core-added")
		b.ReportMetric(alone.Seconds(), "cpu-s-without")
		b.ReportMetric(with.Seconds(), "cpu-s-with")
		if path := os.Getenv("HEARTH_PROFILE"); path != "" {
			profile(b, path)
		}
	}
}

// measured is how long the process is watched while nothing happens.
const measured = 90 * time.Second

// settling is how long the start, or the last pods, leave something to do.
const settling = time.Minute

// idle returns what the process uses of the processors while nothing happens.
func idle(b *testing.B) time.Duration {
	b.Helper()
	used := coreTime(b)
	time.Sleep(measured)
	return coreTime(b) - used
}

// profile writes where an idle process spends its time, to a file.
func profile(b *testing.B, path string) {
	b.Helper()
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		b.Fatal(err)
	}
	time.Sleep(measured)
	pprof.StopCPUProfile()
}

// allAvailable is asked rather than watched: a watch of its own would be part
// of what is measured.
func allAvailable(b *testing.B, s *stage, d *appsv1.Deployment) bool {
	b.Helper()
	if err := s.Get(b.Context(), client.ObjectKeyFromObject(d), d); err != nil {
		b.Fatal(err)
	}
	return d.Status.AvailableReplicas == *d.Spec.Replicas
}

// inUse returns the bytes that are in use once nobody holds what is not.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// coreTime returns what the process has used so far.
func coreTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
