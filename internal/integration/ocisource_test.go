package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"hearth/internal/engine/helmsource"
	"hearth/internal/engine/ocisource"
	"hearth/internal/kube/scheme"
	"hearth/internal/source"
	"hearth/internal/source/ocitest"
)

// startArtifactSources runs the OCIRepositories, HelmRepositories and
// HelmCharts of a namespace.
func startArtifactSources(t *testing.T, ns string) client.Client {
	t.Helper()
	ctrllog.SetLogger(logr.Discard())
	only := map[client.Object]cache.ByObject{}
	for _, kind := range []client.Object{&sourcev1.OCIRepository{}, &sourcev1.HelmRepository{}, &sourcev1.HelmChart{}, &corev1.Secret{}} {
		only[kind] = cache.ByObject{Namespaces: map[string]cache.Config{ns: {}}}
	}
	mgr, err := manager.New(cluster(t).Config(), manager.Options{
		Scheme: scheme.New(), Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"}, Cache: cache.Options{ByObject: only},
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := source.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	charts, err := source.NewCharts(source.ChartOptions{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := ocisource.Setup(mgr, ocisource.Options{Store: store, Charts: charts}); err != nil {
		t.Fatal(err)
	}
	if err := helmsource.Setup(mgr, helmsource.Options{Store: store, Charts: charts}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the reconcilers ended with: %v", err)
		}
	})
	direct, err := client.New(cluster(t).Config(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		t.Fatal(err)
	}
	return direct
}

// untilSource waits until a source object is as it should be.
func untilSource(t *testing.T, c client.Client, obj client.Object, want string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
			t.Fatal(err)
		}
		if is() {
			return
		}
		if time.Now().After(deadline) {
			data, _ := yaml.Marshal(obj)
			t.Fatalf("%s is not %s:\n%s", obj.GetName(), want, data)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// askAnew requests a reconcile.
func askAnew(t *testing.T, c client.Client, obj client.Object, token string) {
	t.Helper()
	patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, meta.ReconcileRequestAnnotation, token))
	if err := c.Patch(t.Context(), obj, patch); err != nil {
		t.Fatal(err)
	}
}

// TestOCIRepositories pulls a signed artifact with credentials, follows what is
// pushed and signed, and keeps it when an unsigned one takes its place.
func TestOCIRepositories(t *testing.T) {
	ns := namespace(t)
	registry := ocitest.New(t)
	registry.Username, registry.Password = "owner", "hunter2"
	owner, public := ocitest.NewKey(t)
	push := func(content string, sign bool) string {
		digest := registry.Push("home", "main", nil, ocitest.Layer{MediaType: ocitest.FluxLayer, Content: ocitest.TarGz(t, map[string]string{"a.yaml": content})})
		if sign {
			registry.Sign("home", digest, owner)
		}
		return "main@" + digest.String()
	}
	first := push("1", true)
	c := startArtifactSources(t, ns)
	login, err := json.Marshal(map[string]any{"auths": map[string]any{registry.Host(): map[string]string{"username": "owner", "password": "hunter2"}}})
	if err != nil {
		t.Fatal(err)
	}
	home := &sourcev1.OCIRepository{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "home"}, Spec: sourcev1.OCIRepositorySpec{
		URL: registry.URL("home"), Interval: metav1.Duration{Duration: time.Hour}, Insecure: true, Reference: &sourcev1.OCIRepositoryRef{Tag: "main"},
		SecretRef: &meta.LocalObjectReference{Name: "pull"},
		Verify:    &sourcev1.OCIRepositoryVerification{Provider: "cosign", SecretRef: &meta.LocalObjectReference{Name: "keys"}},
	}}
	for _, obj := range []client.Object{
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "pull"}, Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{corev1.DockerConfigJsonKey: login}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "keys"}, Data: map[string][]byte{"owner.pub": public}},
		home,
	} {
		if err := c.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
	}
	untilSource(t, c, home, "ready", func() bool {
		return conditions.IsReady(home) && conditions.IsTrue(home, sourcev1.SourceVerifiedCondition) && home.Status.Artifact.HasRevision(first)
	})
	second := push("2", true)
	askAnew(t, c, home, "second")
	untilSource(t, c, home, "at the second revision", func() bool {
		return conditions.IsReady(home) && home.Status.Artifact.HasRevision(second) && home.Status.LastHandledReconcileAt == "second"
	})
	push("3", false)
	askAnew(t, c, home, "third")
	untilSource(t, c, home, "refusing what is not signed", func() bool {
		return conditions.IsFalse(home, sourcev1.SourceVerifiedCondition) && home.Status.LastHandledReconcileAt == "third"
	})
	if !home.Status.Artifact.HasRevision(second) || !conditions.IsTrue(home, sourcev1.ArtifactInStorageCondition) {
		t.Errorf("the old artifact is gone: %v", home.Status)
	}
	untilSource(t, c, home, "told by events", func() bool {
		var events corev1.EventList
		if err := c.List(t.Context(), &events, client.InNamespace(ns)); err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, e := range events.Items {
			all = append(all, e.Type+" "+e.Reason)
			if strings.Contains(e.Message, "hunter2") {
				t.Fatal("an event cites the password")
			}
		}
		told := strings.Join(all, ",")
		return strings.Contains(told, "Normal NewArtifact") && strings.Contains(told, "Warning VerificationError")
	})
}
