package integration_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage"
	"helm.sh/helm/v4/pkg/storage/driver"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apitypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"hearth/charts"
	"hearth/internal/domain"
	"hearth/internal/engine/helmrelease"
	"hearth/internal/engine/helmsource"
	"hearth/internal/engine/ocisource"
	"hearth/internal/kube/crds"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
	"hearth/internal/kube/work"
	"hearth/internal/render"
	"hearth/internal/render/helm"
	"hearth/internal/source"
)

// releases runs everything that makes releases against the shared cluster.
type releases struct {
	t         testing.TB
	namespace string
	client    client.Client
	registry  string
	charts    map[string]bool
	options   *helmrelease.Options
	index     *render.Index
	wrap      func(*rest.Config) // changes the reconcilers' connection
	stop      func()
}

// startReleases starts the reconcilers, in a namespace of their own, and an OCI
// registry that they may fetch charts from.
func startReleases(t testing.TB, change ...func(*helmrelease.Options, *source.ChartOptions)) *releases {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	r := &releases{t: t, namespace: namespace(t), registry: strings.TrimPrefix(server.URL, "http://"), charts: map[string]bool{}, index: &render.Index{}}
	r.start(change...)
	t.Cleanup(func() { r.stop() })
	t.Cleanup(r.clear)
	return r
}

func (r *releases) start(change ...func(*helmrelease.Options, *source.ChartOptions)) {
	t := r.t
	t.Helper()
	ctrllog.SetLogger(logr.Discard())
	config := rest.CopyConfig(cluster(t).Config())
	if r.wrap != nil {
		r.wrap(config)
	}
	mgr, err := manager.New(config, manager.Options{
		Scheme:  scheme.New(),
		Logger:  logr.Discard(),
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{
				&helmv2.HelmRelease{}:      {Namespaces: map[string]cache.Config{r.namespace: {}}},
				&sourcev1.OCIRepository{}:  {Namespaces: map[string]cache.Config{r.namespace: {}}},
				&sourcev1.HelmRepository{}: {Namespaces: map[string]cache.Config{r.namespace: {}}},
				&sourcev1.HelmChart{}:      {Namespaces: map[string]cache.Config{r.namespace: {}}},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := source.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	gate := work.NewGate(4)
	o := helmrelease.Options{Gate: gate, Objects: objects.New(mgr.GetCache(), mgr.GetScheme()), Store: store, Charts: &helm.Charts{}, Index: r.index}
	co := source.ChartOptions{CacheDir: t.TempDir(), Embedded: charts.FS}
	for _, c := range change {
		c(&o, &co)
	}
	from, err := source.NewCharts(co)
	if err != nil {
		t.Fatal(err)
	}
	for _, setup := range []func() error{
		func() error { return ocisource.Setup(mgr, ocisource.Options{Gate: gate, Store: store, Charts: from}) },
		func() error { return helmsource.Setup(mgr, helmsource.Options{Gate: gate, Store: store, Charts: from}) },
		func() error { return helmrelease.Setup(mgr, o) },
	} {
		if err := setup(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	r.stop = func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("the reconcilers ended with: %v", err)
			}
			done <- nil
		case <-time.After(patience):
			t.Error("the reconcilers did not end")
		}
	}
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		t.Fatal("the caches did not fill")
	}
	r.client, err = client.New(cluster(t).Config(), client.Options{Scheme: mgr.GetScheme()})
	if err != nil {
		t.Fatal(err)
	}
	r.options = &o
}

// clear deletes all releases, so that the namespace can go.
func (r *releases) clear() {
	ctx := context.Background()
	if err := r.client.DeleteAllOf(ctx, &helmv2.HelmRelease{}, client.InNamespace(r.namespace)); err != nil {
		r.t.Error(err)
	}
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		var list helmv2.HelmReleaseList
		if err := r.client.List(ctx, &list, client.InNamespace(r.namespace)); err != nil {
			r.t.Error(err)
			return
		}
		if len(list.Items) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	r.t.Error("HelmReleases are left behind")
}

// files are a chart's files by their path.
type files map[string]string

// archiveOf packs a chart's files.
func archiveOf(t testing.TB, chart, version string, content files) []byte {
	t.Helper()
	all := files{"Chart.yaml": fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\nappVersion: %q\n", chart, version, version)}
	for name, data := range content {
		all[name] = data
	}
	var buf bytes.Buffer
	zip := gzip.NewWriter(&buf)
	archive := tar.NewWriter(zip)
	for name, data := range all {
		if err := archive.WriteHeader(&tar.Header{Name: path.Join(chart, name), Mode: 0o644, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(archive, data); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// pushOnly puts a chart into the registry.
func (r *releases) pushOnly(chart, version string, content files) {
	r.t.Helper()
	layer := static.NewLayer(archiveOf(r.t, chart, version, content), types.MediaType(source.HelmChartLayer))
	image, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), layer)
	if err != nil {
		r.t.Fatal(err)
	}
	ref, err := name.ParseReference(r.registry+"/"+chart+":"+version, name.Insecure)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		r.t.Fatal(err)
	}
}

// push puts a chart into the registry and makes an OCIRepository for it.
func (r *releases) push(chart, version string, content files) {
	r.t.Helper()
	r.pushOnly(chart, version, content)
	repository := &sourcev1.OCIRepository{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: chart}}
	spec := sourcev1.OCIRepositorySpec{
		URL: "oci://" + r.registry + "/" + chart, Insecure: true, Interval: metav1.Duration{Duration: time.Hour},
		Reference:     &sourcev1.OCIRepositoryRef{Tag: version},
		LayerSelector: &sourcev1.OCILayerSelector{MediaType: source.HelmChartLayer, Operation: sourcev1.OCILayerCopy},
	}
	if r.charts[chart] {
		r.change(repository, func() { repository.Spec = spec })
		return
	}
	r.charts[chart] = true
	repository.Spec = spec
	r.create(repository)
}

func (r *releases) create(obj client.Object) {
	r.t.Helper()
	if err := r.client.Create(context.Background(), obj); err != nil {
		r.t.Fatal(err)
	}
}

// change changes an object as it is now.
func (r *releases) change(obj client.Object, f func()) {
	r.t.Helper()
	if err := r.client.Get(context.Background(), client.ObjectKeyFromObject(obj), obj); err != nil {
		r.t.Fatal(err)
	}
	before := obj.DeepCopyObject().(client.Object)
	f()
	if err := r.client.Patch(context.Background(), obj, client.MergeFrom(before)); err != nil {
		r.t.Fatal(err)
	}
}

// release makes a HelmRelease of a chart.
func (r *releases) release(name, chart, values string, change ...func(*helmv2.HelmRelease)) *helmv2.HelmRelease {
	r.t.Helper()
	hr := &helmv2.HelmRelease{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: name},
		Spec: helmv2.HelmReleaseSpec{
			ChartRef: &helmv2.CrossNamespaceSourceReference{Kind: sourcev1.OCIRepositoryKind, Name: chart},
			Interval: metav1.Duration{Duration: time.Hour},
			Values:   jsonOf(r.t, values),
		},
	}
	for _, c := range change {
		c(hr)
	}
	r.create(hr)
	return hr
}

func jsonOf(t testing.TB, values string) *apiextensionsv1.JSON {
	t.Helper()
	if values == "" {
		return nil
	}
	if !json.Valid([]byte(values)) {
		t.Fatalf("%s is no JSON", values)
	}
	return &apiextensionsv1.JSON{Raw: []byte(values)}
}

// await watches a HelmRelease until a condition is met.
func (r *releases) await(hr *helmv2.HelmRelease, within time.Duration, what string, met func() bool) {
	r.t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := r.client.Get(context.Background(), client.ObjectKeyFromObject(hr), hr)
		if err != nil && !apierrors.IsNotFound(err) {
			r.t.Fatal(err)
		}
		if err == nil && met() {
			return
		}
		if time.Now().After(deadline) {
			status, _ := json.MarshalIndent(hr.Status, "", "  ")
			r.t.Fatalf("%s is not %s within %s:\n%s", hr.Name, what, within, status)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (r *releases) ready(hr *helmv2.HelmRelease) {
	r.t.Helper()
	generation := hr.Generation
	r.await(hr, patience, "ready", func() bool {
		return conditions.IsReady(hr) && hr.Status.ObservedGeneration == hr.Generation && hr.Generation >= generation
	})
}

func (r *releases) stalled(hr *helmv2.HelmRelease) {
	r.t.Helper()
	r.await(hr, patience, "stalled", func() bool {
		return conditions.IsStalled(hr) && hr.Status.ObservedGeneration == hr.Generation
	})
}

// helm is Helm's own view of the namespace: its own driver, its own client.
func (r *releases) helm() *action.Configuration {
	r.t.Helper()
	clientset, err := kubernetes.NewForConfig(cluster(r.t).Config())
	if err != nil {
		r.t.Fatal(err)
	}
	cfg := action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler))
	cfg.Releases = storage.Init(driver.NewSecrets(clientset.CoreV1().Secrets(r.namespace)))
	cfg.KubeClient = reachable{}
	return cfg
}

type reachable struct{ kube.Interface }

func (reachable) IsReachable() error { return nil }

// list is `helm list`.
func (r *releases) list() map[string]*releasev1.Release {
	r.t.Helper()
	found, err := action.NewList(r.helm()).Run()
	if err != nil {
		r.t.Fatal(err)
	}
	list := map[string]*releasev1.Release{}
	for _, rel := range found {
		list[rel.(*releasev1.Release).Name] = rel.(*releasev1.Release)
	}
	return list
}

// configMap returns the data of a ConfigMap, or nil.
func (r *releases) configMap(name string) map[string]string {
	r.t.Helper()
	var config corev1.ConfigMap
	err := r.client.Get(context.Background(), client.ObjectKey{Namespace: r.namespace, Name: name}, &config)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return config.Data
}

// settings is a chart of one ConfigMap.
var settings = files{
	"values.yaml": "greeting: hello\n",
	"templates/config.yaml": `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
data:
  greeting: {{ .Values.greeting | quote }}
  upgrade: {{ .Release.IsUpgrade | quote }}
`,
}

func TestHelmReleaseInstallUpgradeUninstall(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("settings", "1.0.0", settings)
	hr := r.release("demo", "settings", `{"greeting":"servus"}`)
	r.ready(hr)

	if got := r.configMap("demo"); got["greeting"] != "servus" || got["upgrade"] != "false" {
		t.Errorf("installed %v", got)
	}
	if got := conditions.GetReason(hr, meta.ReadyCondition); got != helmv2.InstallSucceededReason {
		t.Errorf("reason %s", got)
	}
	want := fmt.Sprintf("Helm install succeeded for release %s/demo.v1 with chart settings@1.0.0+%s", r.namespace, shortDigest(hr))
	if got := conditions.GetMessage(hr, meta.ReadyCondition); got != want {
		t.Errorf("message %q, want %q", got, want)
	}
	rel := r.list()["demo"]
	if rel == nil || rel.Version != 1 || rel.Info.Status != common.StatusDeployed || rel.Chart.Metadata.Version != hr.Status.LastAttemptedRevision {
		t.Fatalf("helm list shows %+v", rel)
	}
	if len(rel.Chart.Templates) != 1 || !strings.Contains(string(rel.Chart.Templates[0].Data), "ConfigMap") {
		t.Errorf("the record holds the templates %v", rel.Chart.Templates)
	}
	if labels := rel.Manifest; !strings.Contains(labels, "helm.toolkit.fluxcd.io/name: demo") {
		t.Errorf("the objects are not marked:\n%s", labels)
	}
	latest := hr.Status.History.Latest()
	if latest == nil || latest.Version != 1 || latest.Status != "deployed" || latest.OCIDigest == "" || latest.Digest == "" {
		t.Errorf("history %+v", latest)
	}

	// Nothing changed: nothing happens.
	r.change(hr, func() {
		hr.Annotations = map[string]string{meta.ReconcileRequestAnnotation: "now"}
	})
	r.await(hr, patience, "reconciled on request", func() bool { return hr.Status.LastHandledReconcileAt == "now" && conditions.IsReady(hr) })
	if rel := r.list()["demo"]; rel.Version != 1 {
		t.Errorf("release %d without a change", rel.Version)
	}

	// Another value: an upgrade, at once.
	r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"greeting":"hallo"}`) })
	r.ready(hr)
	if got := r.configMap("demo"); got["greeting"] != "hallo" || got["upgrade"] != "true" {
		t.Errorf("upgraded to %v", got)
	}
	if rel := r.list()["demo"]; rel.Version != 2 || rel.Info.Status != common.StatusDeployed {
		t.Errorf("helm list shows %+v", rel.Info)
	}
	if len(hr.Status.History) != 2 || hr.Status.History[1].Status != "superseded" {
		t.Errorf("history %+v", hr.Status.History)
	}

	// Another chart version.
	r.push("settings", "1.1.0", settings)
	r.await(hr, patience, "at 1.1.0", func() bool {
		return strings.HasPrefix(hr.Status.LastAttemptedRevision, "1.1.0+") && conditions.IsReady(hr) && hr.Status.History.Latest().Version == 3
	})

	if err := r.client.Delete(context.Background(), hr); err != nil {
		t.Fatal(err)
	}
	r.gone(hr)
	if r.configMap("demo") != nil || r.list()["demo"] != nil {
		t.Error("something of the release is left")
	}
}

// shortDigest is what Flux adds to the chart's version.
func shortDigest(hr *helmv2.HelmRelease) string {
	return strings.TrimPrefix(hr.Status.LastAttemptedRevisionDigest, "sha256:")[:12]
}

func (r *releases) gone(obj client.Object) {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := r.client.Get(context.Background(), client.ObjectKeyFromObject(obj), obj)
		if apierrors.IsNotFound(err) {
			return
		}
		if err != nil {
			r.t.Fatal(err)
		}
		if time.Now().After(deadline) {
			content, _ := json.MarshalIndent(obj, "", "  ")
			r.t.Fatalf("%s is not gone:\n%s", obj.GetName(), content)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// refused is a chart whose Service the API server refuses until it is fixed.
var refused = files{
	"values.yaml": "port: 0\n",
	"templates/service.yaml": `apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec: {ports: [{port: {{ .Values.port }}}]}
`,
}

func TestHelmReleaseRetriesAndStalls(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		retries  int
		attempts int
	}{
		{"none", 0, 1},
		{"two", 2, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := startReleases(t)
			r.push("refused", "1.0.0", refused)
			hr := r.release("demo", "refused", `{"port":0}`, func(hr *helmv2.HelmRelease) {
				hr.Spec.Install = &helmv2.Install{Remediation: &helmv2.InstallRemediation{Retries: test.retries}}
			})
			r.stalled(hr)
			stalled := conditions.Get(hr, meta.StalledCondition)
			if want := fmt.Sprintf("Failed to install after %d attempt(s)", test.attempts); stalled.Reason != "RetriesExceeded" || stalled.Message != want {
				t.Errorf("stalled %+v, want %q", stalled, want)
			}
			if hr.Status.InstallFailures != int64(test.attempts) {
				t.Errorf("%d failures", hr.Status.InstallFailures)
			}
			if got := conditions.GetReason(hr, helmv2.ReleasedCondition); got != helmv2.InstallFailedReason {
				t.Errorf("released: %s", got)
			}
			if got := conditions.GetMessage(hr, meta.ReadyCondition); !strings.Contains(got, "spec.ports[0].port") {
				t.Errorf("ready: %s", got)
			}
			// It stays so.
			time.Sleep(1500 * time.Millisecond)
			r.stalled(hr)
			if hr.Status.InstallFailures != int64(test.attempts) {
				t.Errorf("%d failures a while later", hr.Status.InstallFailures)
			}
			// Until it is fixed.
			r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"port":80}`) })
			r.ready(hr)
			if hr.Status.InstallFailures != 0 || conditions.Has(hr, meta.StalledCondition) {
				t.Errorf("after the fix: %+v", hr.Status)
			}
		})
	}
}

func TestHelmReleaseForcedAndReset(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("refused", "1.0.0", refused)
	hr := r.release("demo", "refused", `{"port":0}`)
	r.stalled(hr)
	for _, annotation := range []string{helmv2.ForceRequestAnnotation, helmv2.ResetRequestAnnotation} {
		before := hr.Status.Failures
		r.change(hr, func() {
			hr.Annotations = map[string]string{meta.ReconcileRequestAnnotation: annotation, annotation: annotation}
		})
		r.await(hr, patience, "tried again", func() bool {
			handled := hr.Status.LastHandledForceAt == annotation || hr.Status.LastHandledResetAt == annotation
			return handled && conditions.IsStalled(hr) && (hr.Status.Failures > before || annotation == helmv2.ResetRequestAnnotation && hr.Status.Failures == 1)
		})
	}
}

func TestHelmReleaseRollsBack(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("refused", "1.0.0", refused)
	hr := r.release("demo", "refused", `{"port":80}`, func(hr *helmv2.HelmRelease) {
		hr.Spec.Upgrade = &helmv2.Upgrade{Remediation: &helmv2.UpgradeRemediation{Retries: 1}}
	})
	r.ready(hr)
	r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"port":0}`) })
	r.stalled(hr)
	if got := conditions.Get(hr, meta.StalledCondition).Message; got != "Failed to upgrade after 2 attempt(s)" {
		t.Errorf("stalled: %s", got)
	}
	if got := conditions.GetReason(hr, helmv2.RemediatedCondition); got != helmv2.RollbackSucceededReason {
		t.Errorf("remediated: %s: %s", got, conditions.GetMessage(hr, helmv2.RemediatedCondition))
	}
	if conditions.IsReady(hr) {
		t.Error("a release that was rolled back is ready")
	}
	if rel := r.list()["demo"]; rel.Info.Status != common.StatusDeployed || rel.Config["port"] != float64(80) {
		t.Errorf("helm list shows %s with %v", rel.Info.Status, rel.Config)
	}
}

func TestHelmReleaseDependencies(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("settings", "1.0.0", settings)
	second := r.release("second", "settings", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.DependsOn = []helmv2.DependencyReference{{Name: "first"}}
	})
	r.await(second, patience, "waiting", func() bool {
		return conditions.GetReason(second, meta.ReadyCondition) == helmv2.DependencyNotReadyReason
	})
	if want := fmt.Sprintf("unable to get '%s/first' dependency", r.namespace); !strings.HasPrefix(conditions.GetMessage(second, meta.ReadyCondition), want) {
		t.Errorf("message %q", conditions.GetMessage(second, meta.ReadyCondition))
	}
	first := r.release("first", "settings", "")
	r.ready(first)
	r.ready(second)
	if !r.list()["first"].Info.FirstDeployed.Before(r.list()["second"].Info.FirstDeployed) {
		t.Error("the dependant was first")
	}
}

func TestHelmReleaseValues(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("settings", "1.0.0", settings)
	const secret = "correct-horse-battery"
	hr := r.release("demo", "settings", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.ValuesFrom = []helmv2.ValuesReference{
			{Kind: "ConfigMap", Name: "optional", Optional: true},
			{Kind: "ConfigMap", Name: "base"},
			{Kind: "Secret", Name: "override", ValuesKey: "greeting", TargetPath: "greeting"},
		}
	})
	r.await(hr, patience, "without values", func() bool { return conditions.GetReason(hr, meta.ReadyCondition) == "ValuesError" })
	if got := conditions.GetMessage(hr, meta.ReadyCondition); !strings.Contains(got, "could not find ConfigMap 'base'") {
		t.Errorf("message %q", got)
	}
	r.create(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "base", Labels: map[string]string{"reconcile.fluxcd.io/watch": "Enabled"}},
		Data:       map[string]string{"values.yaml": "greeting: base\n"},
	})
	r.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "override"}, StringData: map[string]string{"greeting": secret}})
	r.ready(hr)
	if got := r.configMap("demo")["greeting"]; got != secret {
		t.Errorf("greeting %q", got)
	}
	status, err := json.Marshal(hr.Status)
	if err != nil || strings.Contains(string(status), secret) {
		t.Errorf("the secret shows in the status: %s", status)
	}

	// A chart that shouts what it was given does not get it into the status.
	shouting := files{"templates/fail.yaml": `{{ fail (printf "no such greeting: %s" .Values.greeting) }}`}
	r.push("settings", "2.0.0", shouting)
	r.await(hr, patience, "failing", func() bool {
		return conditions.GetReason(hr, helmv2.ReleasedCondition) == helmv2.UpgradeFailedReason
	})
	if status, err = json.Marshal(hr.Status); err != nil || strings.Contains(string(status), secret) {
		t.Errorf("the secret shows in the status: %s", status)
	}
	if !strings.Contains(conditions.GetMessage(hr, meta.ReadyCondition), "no such greeting: *****") {
		t.Errorf("message %q", conditions.GetMessage(hr, meta.ReadyCondition))
	}
	var events corev1.EventList
	if err := r.client.List(context.Background(), &events, client.InNamespace(r.namespace)); err != nil {
		t.Fatal(err)
	}
	for _, e := range events.Items {
		if strings.Contains(e.Message, secret) {
			t.Errorf("the secret shows in the event %q", e.Message)
		}
	}
}

func TestHelmReleaseSchemaAndTemplateErrors(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	strict := files{
		"values.schema.json":    `{"type":"object","properties":{"main":{"type":"object","properties":{"replicas":{"type":"integer"}}}}}`,
		"templates/config.yaml": "{{ required \"a name is required\" .Values.name }}",
	}
	r.push("strict", "1.0.0", strict)
	schema := r.release("schema", "strict", `{"main":{"replicas":"many"}}`)
	r.await(schema, patience, "failing", func() bool { return conditions.IsFalse(schema, helmv2.ReleasedCondition) })
	if got := conditions.GetMessage(schema, meta.ReadyCondition); !strings.Contains(got, "/main/replicas") {
		t.Errorf("schema: %s", got)
	}
	missing := r.release("missing", "strict", `{}`)
	r.await(missing, patience, "failing", func() bool { return conditions.IsFalse(missing, helmv2.ReleasedCondition) })
	if got := conditions.GetMessage(missing, meta.ReadyCondition); !strings.Contains(got, "a name is required") {
		t.Errorf("missing: %s", got)
	}
	// Nothing was stored, so nothing counts: it is tried again and again.
	if missing.Status.InstallFailures != 0 || conditions.IsStalled(missing) {
		t.Errorf("after a template error: %+v", missing.Status)
	}
	if len(r.list()) != 0 {
		t.Errorf("helm list shows %v", r.list())
	}
}

// hooked runs a Job before it is installed, and ships a CRD and an object of it.
var hooked = files{
	"crds/widgets.yaml": `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.test.hearth.dev}
spec:
  group: test.hearth.dev
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`,
	"templates/widget.yaml": `{{ if .Capabilities.APIVersions.Has "test.hearth.dev/v1/Widget" }}
apiVersion: test.hearth.dev/v1
kind: Widget
metadata: {name: {{ .Release.Name }}}
{{ end }}`,
	"templates/hook.yaml": `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-prepare
  annotations: {helm.sh/hook: pre-install, helm.sh/hook-delete-policy: before-hook-creation}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: hearth.invalid/x:1}]
`,
}

func TestHelmReleaseHooksAndCRDs(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("hooked", "1.0.0", hooked)
	hr := r.release("demo", "hooked", "")
	clientset, err := kubernetes.NewForConfig(cluster(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	jobs := clientset.BatchV1().Jobs(r.namespace)
	r.await(hr, patience, "running its hook", func() bool {
		_, err := jobs.Get(context.Background(), "demo-prepare", metav1.GetOptions{})
		return err == nil
	})
	if widgets := r.widgets(); len(widgets) != 0 {
		t.Errorf("objects before the hook is done: %v", widgets)
	}
	if conditions.IsReady(hr) || !conditions.IsReconciling(hr) {
		t.Errorf("while the hook runs: %+v", hr.Status.Conditions)
	}
	r.complete("demo-prepare")
	r.ready(hr)
	if widgets := r.widgets(); len(widgets) != 1 {
		t.Errorf("objects of the chart's own kind: %v", widgets)
	}
	t.Cleanup(func() {
		crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "widgets.test.hearth.dev"}}
		if err := r.client.Delete(context.Background(), crd); client.IgnoreNotFound(err) != nil {
			t.Error(err)
		}
	})
}

func (r *releases) widgets() []string {
	r.t.Helper()
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "test.hearth.dev", Version: "v1", Kind: "WidgetList"})
	if err := r.client.List(context.Background(), list, client.InNamespace(r.namespace)); err != nil {
		return nil
	}
	var names []string
	for _, w := range list.Items {
		names = append(names, w.Name)
	}
	return names
}

func TestHelmReleaseInterrupted(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("hooked", "1.0.0", files{"templates/hook.yaml": hooked["templates/hook.yaml"], "templates/config.yaml": settings["templates/config.yaml"]})
	hr := r.release("demo", "hooked", `{"greeting":"old"}`)
	waiting := func() bool { return len(hr.Status.Conditions) > 0 && r.job("demo-prepare") }
	r.await(hr, patience, "running its hook", waiting)

	// The process ends while the hook runs.
	r.stop()
	if rel := r.list()["demo"]; rel == nil || rel.Info.Status == common.StatusDeployed {
		t.Fatalf("helm list shows %+v", rel)
	}
	// A harder end leaves it pending.
	rel := r.list()["demo"]
	rel.SetStatus(common.StatusPendingInstall, "Initial install underway")
	if err := r.helm().Releases.Update(rel); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.ready(hr)
	if got := r.configMap("demo")["greeting"]; got != "old" {
		t.Errorf("greeting %q", got)
	}
	if rel := r.list()["demo"]; rel.Info.Status != common.StatusDeployed {
		t.Errorf("helm list shows %s", rel.Info.Status)
	}
}

func TestHelmReleaseChangedWhileUnderWay(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("slow", "1.0.0", files{
		"templates/hook.yaml":   "{{ if .Values.slow }}\n" + hooked["templates/hook.yaml"] + "\n{{ end }}",
		"templates/config.yaml": settings["templates/config.yaml"],
	})
	hr := r.release("demo", "slow", `{"slow":true,"greeting":"old"}`)
	r.await(hr, patience, "running its hook", func() bool { return r.job("demo-prepare") })
	r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"slow":false,"greeting":"new"}`) })
	r.ready(hr)
	if got := r.configMap("demo")["greeting"]; got != "new" {
		t.Errorf("greeting %q", got)
	}

	other := r.release("other", "slow", `{"slow":true}`)
	r.await(other, patience, "running its hook", func() bool { return r.job("other-prepare") })
	if err := r.client.Delete(context.Background(), other); err != nil {
		t.Fatal(err)
	}
	r.gone(other)
	if r.list()["other"] != nil {
		t.Error("the release of a deleted HelmRelease is left")
	}
}

// TestHelmReleaseChangedInAnUpgrade changes a release while its upgrade waits:
// the upgrade cleans up what it made, as it is told to.
func TestHelmReleaseChangedInAnUpgrade(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("slow", "1.0.0", files{
		"templates/config.yaml": namedMaps["templates/config.yaml"],
		"templates/hook.yaml":   "{{ if .Values.slow }}\n" + strings.Replace(hooked["templates/hook.yaml"], "pre-install", "post-upgrade", 1) + "\n{{ end }}",
	})
	hr := r.release("demo", "slow", `{"names":["first"]}`, func(hr *helmv2.HelmRelease) { hr.Spec.Upgrade = &helmv2.Upgrade{CleanupOnFail: true} })
	r.ready(hr)
	r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"names":["first","second"],"slow":true}`) })
	r.await(hr, patience, "running its hook", func() bool { return r.job("demo-prepare") })
	r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"names":["first"]}`) })
	r.ready(hr)
	if diff := cmp.Diff([]string{"first"}, r.configMaps()); diff != "" {
		t.Errorf("ConfigMaps (-want +got):\n%s", diff)
	}
}

func (r *releases) job(name string) bool {
	var list metav1.PartialObjectMetadata
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"})
	return r.client.Get(context.Background(), client.ObjectKey{Namespace: r.namespace, Name: name}, &list) == nil
}

// complete plays what completes a Job.
func (r *releases) complete(job string) {
	r.t.Helper()
	clientset, err := kubernetes.NewForConfig(cluster(r.t).Config())
	if err != nil {
		r.t.Fatal(err)
	}
	// The server refuses to let a Job end that has not begun.
	err = wait.PollUntilContextTimeout(r.t.Context(), 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		begun, err := clientset.BatchV1().Jobs(r.namespace).Get(ctx, job, metav1.GetOptions{})
		return err == nil && begun.Status.StartTime != nil, client.IgnoreNotFound(err)
	})
	if err != nil {
		r.t.Fatal(err)
	}
	patch := fmt.Sprintf(`{"status":{"completionTime":%[1]q,"succeeded":1,"active":0,"ready":0,"terminating":0,"uncountedTerminatedPods":{},"conditions":[
		{"type":"SuccessCriteriaMet","status":"True","lastTransitionTime":%[1]q},
		{"type":"Complete","status":"True","lastTransitionTime":%[1]q}]}}`, time.Now().UTC().Format(time.RFC3339))
	_, err = clientset.BatchV1().Jobs(r.namespace).Patch(context.Background(), job, apitypes.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestHelmReleaseFromHelmRepository(t *testing.T) {
	t.Parallel()
	archive := archiveOf(t, "settings", "1.2.3", settings)
	sum := sha256.Sum256(archive)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/index.yaml":
			fmt.Fprintf(w, "apiVersion: v1\nentries:\n  settings:\n  - {name: settings, version: 1.2.3, urls: [settings-1.2.3.tgz], digest: %s}\n", hex.EncodeToString(sum[:]))
		case "/settings-1.2.3.tgz":
			w.Write(archive)
		default:
			http.NotFound(w, req)
		}
	}))
	defer server.Close()
	r := startReleases(t)
	repository := &sourcev1.HelmRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "stable"},
		Spec:       sourcev1.HelmRepositorySpec{URL: server.URL, Interval: metav1.Duration{Duration: time.Hour}},
	}
	hr := r.release("demo", "", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.ChartRef = nil
		hr.Spec.Chart = &helmv2.HelmChartTemplate{Spec: helmv2.HelmChartTemplateSpec{
			Chart: "settings", Version: "1.x",
			SourceRef: helmv2.CrossNamespaceObjectReference{Kind: sourcev1.HelmRepositoryKind, Name: "stable"},
		}}
	})
	r.create(repository)
	r.ready(hr)
	if got := hr.Status.History.Latest().VersionedChartName(); got != "settings@1.2.3" {
		t.Errorf("installed %s", got)
	}
	chart := &sourcev1.HelmChart{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: r.namespace + "-demo"}}
	if err := r.client.Get(context.Background(), client.ObjectKeyFromObject(chart), chart); err != nil {
		t.Fatal(err)
	}
	if got := conditions.GetMessage(chart, meta.ReadyCondition); got != "pulled 'settings' chart with version '1.2.3'" {
		t.Errorf("HelmChart: %s", got)
	}
	if err := r.client.Delete(context.Background(), hr); err != nil {
		t.Fatal(err)
	}
	r.gone(hr)
	r.gone(chart)
}

func TestOCIRepositoryFails(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	repository := &sourcev1.OCIRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "gone"},
		Spec: sourcev1.OCIRepositorySpec{
			URL: "oci://" + r.registry + "/gone", Insecure: true, Interval: metav1.Duration{Duration: time.Hour},
			Reference: &sourcev1.OCIRepositoryRef{Tag: "1.0.0"},
		},
	}
	r.create(repository)
	hr := r.release("demo", "gone", "")
	r.await(hr, patience, "without a chart", func() bool { return conditions.GetReason(hr, meta.ReadyCondition) == "SourceNotReady" })
	r.fails(repository, r.registry+"/v2/gone/manifests/1.0.0")
	if reason := conditions.GetReason(repository, meta.ReadyCondition); reason != sourcev1.OCIPullFailedReason {
		t.Errorf("not ready because of %s", reason)
	}
	if !conditions.IsTrue(repository, sourcev1.FetchFailedCondition) {
		t.Errorf("conditions: %+v", repository.Status.Conditions)
	}
	// The chart appears, and everything follows without anybody's doing.
	r.charts["gone"] = true
	r.push("gone", "1.0.0", settings)
	r.ready(hr)
}

func TestHelmReleaseWithStandIns(t *testing.T) {
	t.Parallel()
	r := startReleases(t, func(_ *helmrelease.Options, o *source.ChartOptions) { o.Offline, o.StandIn = true, true })
	const count = 20
	for i := range count {
		chart := fmt.Sprintf("chart-%d", i)
		r.create(&sourcev1.OCIRepository{
			ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: chart},
			Spec: sourcev1.OCIRepositorySpec{
				URL: "oci://registry.invalid/" + chart, Interval: metav1.Duration{Duration: time.Hour}, Reference: &sourcev1.OCIRepositoryRef{Tag: "1.20.1"},
				LayerSelector: &sourcev1.OCILayerSelector{MediaType: source.HelmChartLayer, Operation: sourcev1.OCILayerCopy},
			},
		})
	}
	began := time.Now()
	var all []*helmv2.HelmRelease
	for i := range count {
		all = append(all, r.release(fmt.Sprintf("demo-%d", i), fmt.Sprintf("chart-%d", i), `{"any":"value"}`, func(hr *helmv2.HelmRelease) {
			hr.Spec.Install = &helmv2.Install{DisableWait: true}
		}))
	}
	for _, hr := range all {
		r.ready(hr)
	}
	t.Logf("%d releases in %s", count, time.Since(began))
	if rel := r.list()["demo-0"]; !strings.HasPrefix(rel.Chart.Metadata.Version, "1.20.1+") || rel.Chart.Name() != "chart-0" {
		t.Errorf("helm list shows %s %s", rel.Chart.Name(), rel.Chart.Metadata.Version)
	}
}

// working is a chart of one Job that the release waits for.
var working = files{"templates/job.yaml": `apiVersion: batch/v1
kind: Job
metadata: {name: {{ .Release.Name }}-work}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: hearth.invalid/x:1}]
`}

func TestHelmReleaseWaits(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("working", "1.0.0", working)
	hr := r.release("demo", "working", "")
	r.await(hr, patience, "waiting", func() bool { return r.job("demo-work") && conditions.IsReconciling(hr) })
	time.Sleep(500 * time.Millisecond)
	r.await(hr, patience, "still waiting", func() bool {
		return conditions.IsUnknown(hr, meta.ReadyCondition) && conditions.GetMessage(hr, meta.ReadyCondition) == "Running 'install' action with timeout of 5m0s"
	})
	r.complete("demo-work")
	r.ready(hr)

	late := r.release("late", "working", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.Timeout = &metav1.Duration{Duration: time.Second}
	})
	r.stalled(late)
	if got := conditions.GetMessage(late, meta.ReadyCondition); !strings.Contains(got, "Job/"+r.namespace+"/late-work") || !strings.Contains(got, "deadline exceeded") {
		t.Errorf("message %q", got)
	}
	if rel := r.list()["late"]; rel.Info.Status != common.StatusFailed {
		t.Errorf("helm list shows %s", rel.Info.Status)
	}
}

func TestHelmReleasePostRenderers(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("settings", "1.0.0", settings)
	patch := func(value string) []helmv2.PostRenderer {
		return []helmv2.PostRenderer{{Kustomize: &helmv2.Kustomize{Patches: []kustomize.Patch{{
			Target: &kustomize.Selector{Kind: "ConfigMap"},
			Patch:  "- op: add\n  path: /data/patched\n  value: " + value + "\n",
		}}}}}
	}
	hr := r.release("demo", "settings", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.PostRenderers = patch("one")
		hr.Spec.CommonMetadata = &helmv2.CommonMetadata{Labels: map[string]string{"team": "home"}}
	})
	r.ready(hr)
	if got := r.configMap("demo")["patched"]; got != "one" {
		t.Errorf("patched %q", got)
	}
	if rel := r.list()["demo"]; rel.Version != 1 || !strings.Contains(rel.Manifest, "team: home") {
		t.Errorf("release %d:\n%s", rel.Version, rel.Manifest)
	}
	r.change(hr, func() { hr.Spec.PostRenderers = patch("two") })
	r.ready(hr)
	if got := r.configMap("demo")["patched"]; got != "two" || r.list()["demo"].Version != 2 {
		t.Errorf("patched %q in release %d", got, r.list()["demo"].Version)
	}
}

func TestHelmReleaseTests(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("tested", "1.0.0", files{
		"templates/config.yaml": settings["templates/config.yaml"],
		"templates/test.yaml":   strings.ReplaceAll(strings.ReplaceAll(hooked["templates/hook.yaml"], "pre-install", "test"), "prepare", "test"),
	})
	hr := r.release("demo", "tested", `{"greeting":"x"}`, func(hr *helmv2.HelmRelease) { hr.Spec.Test = &helmv2.Test{Enable: true} })
	r.await(hr, patience, "being tested", func() bool { return r.job("demo-test") })
	if conditions.IsReady(hr) {
		t.Error("ready before its tests ran")
	}
	r.complete("demo-test")
	r.ready(hr)
	if got := conditions.GetMessage(hr, helmv2.TestSuccessCondition); !strings.Contains(got, "1 test hook completed successfully") {
		t.Errorf("tests: %s", got)
	}
	if tests := hr.Status.History.Latest().GetTestHooks(); tests["demo-test"] == nil || tests["demo-test"].Phase != "Succeeded" {
		t.Errorf("history: %+v", tests)
	}
}

func TestHelmReleaseNamespaces(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("settings", "1.0.0", settings)
	target := r.namespace + "-target"
	hr := r.release("demo", "settings", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.TargetNamespace = target
		hr.Spec.Install = &helmv2.Install{CreateNamespace: true}
	})
	t.Cleanup(func() {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: target}}
		if err := r.client.Delete(context.Background(), ns); client.IgnoreNotFound(err) != nil {
			t.Error(err)
		}
	})
	r.ready(hr)
	rel := r.list()[target+"-demo"]
	if rel == nil || rel.Namespace != target {
		t.Fatalf("helm list shows %+v", r.list())
	}
	var config corev1.ConfigMap
	key := client.ObjectKey{Namespace: target, Name: target + "-demo"}
	if err := r.client.Get(context.Background(), key, &config); err != nil {
		t.Fatal(err)
	}
	// Another name is another release: the old one goes.
	r.change(hr, func() { hr.Spec.ReleaseName = "renamed" })
	r.ready(hr)
	if list := r.list(); list["renamed"] == nil || list[target+"-demo"] != nil {
		t.Errorf("helm list shows %v", list)
	}
	if err := r.client.Get(context.Background(), key, &config); !apierrors.IsNotFound(err) {
		t.Errorf("an object of the old release: %v", err)
	}
}

func TestHelmReleaseSuspended(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("settings", "1.0.0", settings)
	hr := r.release("demo", "settings", "", func(hr *helmv2.HelmRelease) { hr.Spec.Suspend = true })
	time.Sleep(time.Second)
	if len(r.list()) != 0 {
		t.Error("a suspended HelmRelease was released")
	}
	r.change(hr, func() { hr.Spec.Suspend = false })
	r.ready(hr)
	r.change(hr, func() { hr.Spec.Suspend = true })
	if err := r.client.Delete(context.Background(), hr); err != nil {
		t.Fatal(err)
	}
	r.gone(hr)
	if r.list()["demo"] == nil || r.configMap("demo") == nil {
		t.Error("the release of a suspended HelmRelease was removed with it")
	}
}

func TestHelmReleaseOfAnUnknownKind(t *testing.T) {
	t.Parallel()
	var known atomic.Bool
	var place atomic.Value
	r := startReleases(t, func(o *helmrelease.Options, _ *source.ChartOptions) {
		o.UnknownKind = func(ctx context.Context, gvk schema.GroupVersionKind, at domain.Place) (bool, error) {
			if !known.Load() {
				return false, nil
			}
			place.Store(at)
			plural, namespaced := crds.Names(gvk.Group, gvk.Kind)
			return true, crds.Install(ctx, cluster(t).Config(), crds.Permissive(gvk.Group, gvk.Version, gvk.Kind, plural, namespaced))
		}
		o.Index = &render.Index{}
	})
	t.Cleanup(func() {
		plural, _ := crds.Names("unknown.hearth.dev", "Gadget")
		crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: plural + ".unknown.hearth.dev"}}
		if err := r.client.Delete(context.Background(), crd); client.IgnoreNotFound(err) != nil {
			t.Error(err)
		}
	})
	r.options.Index.Put(render.Key{Group: helmv2.GroupVersion.Group, Kind: helmv2.HelmReleaseKind, Namespace: r.namespace, Name: "demo"},
		render.Origin{File: "apps/demo.yaml", Line: 3})
	r.push("gadget", "1.0.0", files{"templates/gadget.yaml": "apiVersion: unknown.hearth.dev/v1\nkind: Gadget\nmetadata: {name: demo}\n"})
	hr := r.release("demo", "gadget", "")
	r.await(hr, patience, "failing", func() bool { return conditions.IsFalse(hr, helmv2.ReleasedCondition) })
	if got := conditions.GetMessage(hr, meta.ReadyCondition); !strings.Contains(got, `no matches for kind "Gadget" in version "unknown.hearth.dev/v1"`) {
		t.Errorf("message %q", got)
	}
	known.Store(true)
	r.ready(hr)
	if place.Load() != (domain.Place{File: "apps/demo.yaml", Line: 3}) {
		t.Errorf("asked about %v", place.Load())
	}
}

// BenchmarkHelmReleases installs as many releases as a homelab has, all of one
// chart that its values make something of.
func BenchmarkHelmReleases(b *testing.B) {
	const count = 72
	for b.Loop() {
		r := startReleases(b, func(_ *helmrelease.Options, o *source.ChartOptions) { o.Offline, o.StandIn = true, true })
		r.create(&sourcev1.OCIRepository{
			ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "app-template"},
			Spec: sourcev1.OCIRepositorySpec{
				URL: "oci://registry.invalid/app-template", Interval: metav1.Duration{Duration: time.Hour}, Reference: &sourcev1.OCIRepositoryRef{Tag: "4.4.0"},
				LayerSelector: &sourcev1.OCILayerSelector{MediaType: source.HelmChartLayer, Operation: sourcev1.OCILayerCopy},
			},
		})
		began := time.Now()
		var all []*helmv2.HelmRelease
		for i := range count {
			all = append(all, r.release(fmt.Sprintf("demo-%d", i), "app-template", `{
				"controllers":{"main":{"containers":{"app":{"image":{"repository":"hearth.invalid/app","tag":"1"},"env":{"A":"1"}}}}},
				"service":{"main":{"controller":"main","ports":{"http":{"port":80}}}},
				"persistence":{"data":{"type":"emptyDir"}}}`,
				func(hr *helmv2.HelmRelease) { hr.Spec.Install = &helmv2.Install{DisableWait: true} }))
		}
		for _, hr := range all {
			r.ready(hr)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/homelab")
	}
}
