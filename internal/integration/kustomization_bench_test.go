package integration_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/engine/gitsource"
	"hearth/internal/engine/kustomization"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
	"hearth/internal/kube/work"
	"hearth/internal/render"
	"hearth/internal/source"
)

// BenchmarkHomelabKustomizations brings the Kustomizations of a real homelab
// to Ready once, with its HelmReleases left as objects that are ready at once.
// What needs an operator to become ready stays as it is. Run with
// -benchtime 1x: a second round would find everything there.
func BenchmarkHomelabKustomizations(b *testing.B) {
	corpus, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "corpora", "k8s-homelab"))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(corpus); err != nil {
		b.Skip("the homelab to reconcile is not there:", corpus)
	}
	ctrllog.SetLogger(logr.Discard())
	mgr, err := manager.New(cluster(b).Config(), manager.Options{
		Scheme: scheme.New(), Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"},
		Cache:  cache.Options{DefaultTransform: cache.TransformStripManagedFields()},
		Client: client.Options{Cache: &client.CacheOptions{Unstructured: true}},
	})
	if err != nil {
		b.Fatal(err)
	}
	live, err := client.New(cluster(b).Config(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		b.Fatal(err)
	}
	store, err := source.OpenStore(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	g := &gitops{t: b, client: live}
	gate := work.NewGate(4)
	refresh := make(chan struct{}, 1)
	err = gitsource.Setup(mgr, gitsource.Options{Gate: gate, Store: store, Offline: true, Refresh: refresh, Overrides: []gitsource.Override{{URL: "https://example.org/home", Folder: corpus}}})
	if err != nil {
		b.Fatal(err)
	}
	err = kustomization.Setup(mgr, kustomization.Options{
		Gate: gate, Objects: objects.New(mgr.GetCache(), mgr.GetScheme()), Store: store, Index: &render.Index{}, Offline: true,
		UnknownKind: func(_ context.Context, gvk schema.GroupVersionKind, _ domain.Place) (bool, error) {
			g.apply(strings.Replace(strings.Replace(definition(gvk.Group, gvk.Kind), "- name: v1", "- name: "+gvk.Version, 1), "scope: Namespaced", "scope: "+scopeOf(gvk.Kind), 1))
			return true, nil
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := playReleases(mgr); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go func() {
		if err := mgr.Start(ctx); err != nil {
			b.Error(err)
		}
	}()
	mgr.GetCache().WaitForCacheSync(ctx)
	if err := live.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "flux-system"}}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		began := time.Now()
		g.apply("{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: flux-system, namespace: flux-system}, spec: {url: 'https://example.org/home', interval: 1h}}")
		g.apply("{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: flux-system, namespace: flux-system}, spec: {path: ./kubernetes/main/cluster, prune: true, interval: 1h, sourceRef: {kind: GitRepository, name: flux-system}}}")
		if err := gate.Quiet(ctx, 3*time.Second); err != nil {
			b.Fatal(err)
		}
		var list kustomizev1.KustomizationList
		if err := live.List(ctx, &list); err != nil {
			b.Fatal(err)
		}
		ready, last := 0, began
		for i := range list.Items {
			k := &list.Items[i]
			if conditions.IsReady(k) {
				ready++
				if at := conditions.GetLastTransitionTime(k, meta.ReadyCondition).Time; at.After(last) {
					last = at
				}
				continue
			}
			b.Logf("%s/%s: %s", k.Namespace, k.Name, conditions.GetMessage(k, meta.ReadyCondition))
		}
		b.ReportMetric(float64(len(list.Items)), "kustomizations")
		b.ReportMetric(float64(ready), "ready")
		b.ReportMetric(last.Sub(began).Seconds(), "s-until-last-ready")
	}
}

// scopeOf guesses the scope of a kind by its name.
func scopeOf(kind string) string {
	if strings.HasPrefix(kind, "Cluster") && kind != "Cluster" || strings.HasPrefix(kind, "Cilium") || strings.HasSuffix(kind, "Class") {
		return "Cluster"
	}
	return "Namespaced"
}

// playReleases makes every HelmRelease ready at once.
func playReleases(mgr manager.Manager) error {
	skip := true
	return builder.ControllerManagedBy(mgr).Named("releases").For(&helmv2.HelmRelease{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: 8, SkipNameValidation: &skip}).
		Complete(reconcile.Func(func(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
			obj := &helmv2.HelmRelease{}
			if err := mgr.GetClient().Get(ctx, req.NamespacedName, obj); err != nil {
				return reconcile.Result{}, client.IgnoreNotFound(err)
			}
			if obj.Status.ObservedGeneration == obj.Generation {
				return reconcile.Result{}, nil
			}
			before := obj.DeepCopy()
			obj.Status.ObservedGeneration = obj.Generation
			conditions.MarkTrue(obj, meta.ReadyCondition, "Played", "ready")
			return reconcile.Result{}, mgr.GetClient().Status().Patch(ctx, obj, client.MergeFrom(before))
		}))
}
