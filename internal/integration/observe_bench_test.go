package integration_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/kube/scheme"
	"hearth/internal/observe"
)

// benchObjects is how many objects the benchmark observes, and benchIdle how
// long it looks at what that costs while nothing happens.
const (
	benchObjects = 2000
	benchIdle    = 150 * time.Second // the runtime collects garbage every two minutes
)

// BenchmarkObserve measures `hearth events --follow`, the program that the
// variable HEARTH names, on 2,000 objects: its memory, its processor time while
// nothing happens, and how long a transition takes from the API server's answer
// to the line.
func BenchmarkObserve(b *testing.B) {
	program := os.Getenv("HEARTH")
	if program == "" {
		b.Skip("HEARTH does not name the program: build it, and set HEARTH to its path")
	}
	config := rest.CopyConfig(cluster(b).Config())
	config.QPS = -1 // making the objects is not what is measured
	c, err := client.New(config, client.Options{Scheme: scheme.New()})
	if err != nil {
		b.Fatal(err)
	}
	ns := namespace(b)
	first := observedObjects(b, c, ns)
	ctx, cancel := context.WithCancel(b.Context())
	cmd := exec.CommandContext(ctx, program, "events", "--follow", "-o", "json", "--types", "state", "--metrics", "127.0.0.1:0",
		"-n", ns, "--kubeconfig", cluster(b).KubeconfigPath())
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	problems, err := cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		cancel()
		_ = cmd.Wait() // it was interrupted
	}()
	changes := make(chan time.Time, 1000)
	go toldAt(out, first, changes)
	awaitObserved(b, problems)
	time.Sleep(5 * time.Second) // what the start leaves behind is none of idling
	before := processorTime(b, cmd.Process.Pid)
	time.Sleep(benchIdle)
	idle := processorTime(b, cmd.Process.Pid) - before
	b.ReportMetric(100*idle.Seconds()/benchIdle.Seconds(), "%core-idle")
	reportMemory(b, cmd.Process.Pid, "idle")
	latencies := toldTransitions(b, c, ns, first, changes)
	reportMemory(b, cmd.Process.Pid, "busy")
	b.ReportMetric(float64(latencies[len(latencies)/2].Microseconds())/1000, "ms-median")
	b.ReportMetric(float64(latencies[len(latencies)-1].Microseconds())/1000, "ms-worst")
	b.ReportMetric(0, "ns/op")
}

// observedObjects makes 2,000 objects, and returns the name of a Kustomization.
func observedObjects(b *testing.B, c client.Client, ns string) string {
	b.Helper()
	create := func(obj client.Object) {
		if err := c.Create(b.Context(), obj); err != nil {
			b.Fatal(err)
		}
	}
	for n := range benchObjects {
		meta := metav1.ObjectMeta{Namespace: ns, Name: fmt.Sprint("object-", n)}
		switch n % 10 {
		case 0:
			k := &kustomizev1.Kustomization{ObjectMeta: meta}
			k.Spec.Interval, k.Spec.Path, k.Spec.Prune = metav1.Duration{Duration: time.Hour}, "./apps", true
			k.Spec.SourceRef = kustomizev1.CrossNamespaceSourceReference{Kind: "GitRepository", Name: "home"}
			create(k)
		case 1:
			h := &helmv2.HelmRelease{ObjectMeta: meta}
			h.Spec.Interval = metav1.Duration{Duration: time.Hour}
			h.Spec.ChartRef = &helmv2.CrossNamespaceSourceReference{Kind: "OCIRepository", Name: "app-template"}
			create(h)
		case 2:
			e := &esv1.ExternalSecret{ObjectMeta: meta}
			e.Spec.SecretStoreRef = esv1.SecretStoreRef{Kind: esv1.ClusterSecretStoreKind, Name: "onepassword-connect"}
			e.Spec.DataFrom = []esv1.ExternalSecretDataFrom{{Extract: &esv1.RemoteRef{Key: "item"}}}
			create(e)
		default:
			p := &corev1.Pod{ObjectMeta: meta}
			no := false
			p.Spec.AutomountServiceAccountToken = &no
			for range 20 {
				p.Spec.Containers = append(p.Spec.Containers, corev1.Container{
					Name: fmt.Sprint("c", len(p.Spec.Containers)), Image: "example.org/app:1", Env: []corev1.EnvVar{{Name: "A", Value: strings.Repeat("x", 50)}},
				})
			}
			for c.Create(b.Context(), p) != nil && b.Context().Err() == nil {
				time.Sleep(100 * time.Millisecond) // the namespace's account may come later
			}
		}
	}
	return "object-0"
}

// toldAt tells when each line about a Kustomization came.
func toldAt(out io.Reader, name string, changes chan<- time.Time) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		at := time.Now()
		var h observe.Happening
		if json.Unmarshal(lines.Bytes(), &h) == nil && h.Object.Kind == "Kustomization" && h.Object.Name == name {
			changes <- at
		}
	}
}

var metricsURL = regexp.MustCompile(`^metrics (http://\S+)$`)

// awaitObserved waits until the program's own metrics count all objects.
func awaitObserved(b *testing.B, problems io.Reader) {
	b.Helper()
	lines := bufio.NewScanner(problems)
	url := ""
	for url == "" && lines.Scan() {
		if m := metricsURL.FindStringSubmatch(lines.Text()); m != nil {
			url = m[1]
		}
	}
	if url == "" {
		b.Fatal("the program does not say where its metrics are")
	}
	go func() { _, _ = io.Copy(io.Discard, problems) }()
	for deadline := time.Now().Add(observerWaits); time.Now().Before(deadline); time.Sleep(time.Second) {
		if countObserved(b, url) >= benchObjects {
			return
		}
	}
	b.Fatal("the program does not observe all objects")
}

func countObserved(b *testing.B, url string) int {
	b.Helper()
	response, err := http.Get(url)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	return strings.Count(string(body), "\nhearth_object_state{")
}

// toldTransitions makes a Kustomization fail and recover, and returns how long the
// lines took, in order.
func toldTransitions(b *testing.B, c client.Client, ns, name string, changes <-chan time.Time) []time.Duration {
	b.Helper()
	k := &kustomizev1.Kustomization{}
	if err := c.Get(b.Context(), client.ObjectKey{Namespace: ns, Name: name}, k); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for n := range 50 {
		k.Status.ObservedGeneration = k.Generation
		k.Status.Conditions = conditionsOf("Ready", "True", "ReconciliationSucceeded", "applied")
		if n%2 == 1 {
			k.Status.Conditions = conditionsOf("Ready", "False", "HealthCheckFailed", "failed")
		}
		if err := c.Status().Update(b.Context(), k); err != nil {
			b.Fatal(err)
		}
		answered := time.Now()
		select {
		case at := <-changes:
			took = append(took, max(0, at.Sub(answered)))
		case <-time.After(observerWaits):
			b.Fatal("a transition is not told")
		}
		time.Sleep(200 * time.Millisecond) // the further lines of the same transition
		for len(changes) > 0 {
			<-changes
		}
	}
	slices.Sort(took)
	return took
}

// processorTime returns what a process has used of the processor, in hundredths
// of a second as Linux counts.
func processorTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(content), ") ")
	fields := strings.Fields(rest)
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// reportMemory reports what a process has in memory: all of it, its own, the
// pages of the program's file, and the most that it ever had.
func reportMemory(b *testing.B, pid int, when string) {
	b.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for _, field := range []string{"VmRSS", "RssAnon", "RssFile", "VmHWM"} {
		_, rest, _ := strings.Cut(string(content), field+":")
		kib, err := strconv.Atoi(strings.Fields(rest)[0])
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(kib)/1024, field+"-MiB-"+when)
	}
}
