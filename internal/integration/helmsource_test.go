package integration_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/source/ocitest"
)

// TestHelmCharts takes a chart from an http repository: the chart waits for the
// repository, and follows its index at once.
func TestHelmCharts(t *testing.T) {
	ns := namespace(t)
	var mu sync.Mutex
	version := "1.0.0"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/index.yaml" {
			fmt.Fprintf(w, "apiVersion: v1\nentries:\n  demo:\n  - {name: demo, version: %s, urls: [demo-%s.tgz]}\n", version, version)
			return
		}
		w.Write(ocitest.TarGz(t, map[string]string{"demo/Chart.yaml": "apiVersion: v2\nname: demo\nversion: " + version + "\n"}))
	}))
	t.Cleanup(server.Close)
	c := startArtifactSources(t, ns)
	hour := metav1.Duration{Duration: time.Hour}
	chart := &sourcev1.HelmChart{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "demo"}, Spec: sourcev1.HelmChartSpec{
		Chart: "demo", Version: "*", Interval: hour, SourceRef: sourcev1.LocalHelmChartSourceReference{Kind: sourcev1.HelmRepositoryKind, Name: "stable"},
	}}
	repository := &sourcev1.HelmRepository{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "stable"}, Spec: sourcev1.HelmRepositorySpec{URL: server.URL, Interval: hour}}
	if err := c.Create(t.Context(), chart); err != nil {
		t.Fatal(err)
	}
	untilSource(t, c, chart, "waiting for its source", func() bool { return conditions.GetReason(chart, "Ready") == "SourceUnavailable" })
	if err := c.Create(t.Context(), repository); err != nil {
		t.Fatal(err)
	}
	untilSource(t, c, chart, "ready", func() bool { return conditions.IsReady(chart) && chart.Status.Artifact.HasRevision("1.0.0") })
	mu.Lock()
	version = "1.1.0"
	mu.Unlock()
	askAnew(t, c, repository, "now")
	untilSource(t, c, chart, "at the new version", func() bool { return conditions.IsReady(chart) && chart.Status.Artifact.HasRevision("1.1.0") })
	askAnew(t, c, chart, "again")
	untilSource(t, c, chart, "handled", func() bool { return chart.Status.LastHandledReconcileAt == "again" })
}
