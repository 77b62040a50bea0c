package integration_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
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
	"hearth/internal/kube/crds"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
	"hearth/internal/kube/work"
	"hearth/internal/render"
	"hearth/internal/source"
)

// BenchmarkHomelabKustomizations brings the Kustomizations of a real homelab
// to Ready once, with its HelmReleases left as objects that are ready at once
// and without health checks, which would wait for operators. Then it changes
// the revision, and nothing else, and waits until all are Ready again. Run with
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
	err = gitsource.Setup(mgr, gitsource.Options{Gate: gate, Store: store, Offline: true, Overrides: []gitsource.Override{{URL: "https://example.org/home", Folder: corpus}}})
	if err != nil {
		b.Fatal(err)
	}
	err = kustomization.Setup(mgr, kustomization.Options{
		Gate: gate, Objects: objects.New(mgr.GetCache(), mgr.GetScheme()), Store: store, Index: &render.Index{}, Offline: true,
		UnknownKind: func(ctx context.Context, gvk schema.GroupVersionKind, _ domain.Place) (bool, error) {
			plural := strings.ToLower(gvk.Kind) + "s"
			return true, crds.Install(ctx, mgr.GetConfig(), crds.Permissive(gvk.Group, gvk.Version, gvk.Kind, plural, namespaced(gvk.Kind)))
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
	allReady := func(revision string) (ready int, not []string) {
		var list kustomizev1.KustomizationList
		if err := live.List(ctx, &list); err != nil {
			b.Fatal(err)
		}
		for i := range list.Items {
			if k := &list.Items[i]; conditions.IsReady(k) && strings.HasPrefix(k.Status.LastAppliedRevision, revision) {
				ready++
			} else {
				not = append(not, k.Namespace+"/"+k.Name+": "+conditions.GetMessage(k, meta.ReadyCondition))
			}
		}
		return ready, not
	}
	settle := func(name string, count int, revision func() string) {
		began := time.Now()
		for ; ; time.Sleep(50 * time.Millisecond) {
			ready, not := allReady(revision())
			if ready >= count {
				b.ReportMetric(time.Since(began).Seconds(), "s-"+name)
				return
			}
			if time.Since(began) > 90*time.Second {
				b.Fatalf("%d are ready; not so:\n%s", ready, strings.Join(not, "\n"))
			}
		}
	}
	for b.Loop() {
		g.apply("{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: flux-system, namespace: flux-system}, spec: {url: 'https://example.org/home', interval: 1h}}")
		g.apply(homelabRoot)
		settle("first", homelabReady, func() string { return "worktree" })
		cpu := cpuTime()
		repo := &sourcev1.GitRepository{}
		if err := live.Get(ctx, client.ObjectKey{Namespace: "flux-system", Name: "flux-system"}, repo); err != nil {
			b.Fatal(err)
		}
		before, ignored := repo.Status.Artifact.Revision, "*.none\nkubernetes/staging/"
		repo.Spec.Ignore = &ignored
		if err := live.Update(ctx, repo); err != nil {
			b.Fatal(err)
		}
		settle("second", homelabReady, func() string {
			if err := live.Get(ctx, client.ObjectKeyFromObject(repo), repo); err != nil {
				b.Fatal(err)
			}
			if repo.Status.Artifact.Revision == before {
				return "none"
			}
			return repo.Status.Artifact.Revision
		})
		b.ReportMetric((cpuTime() - cpu).Seconds(), "cpu-s-second")
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// homelabReady is how many Kustomizations of that homelab become Ready: one of
// its 96 reads pictures, which sources leave out.
const homelabReady = 95

// homelabRoot applies the homelab's own root, with its children patched not to
// wait for the health of what they apply.
const homelabRoot = `
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec:
  path: ./kubernetes/main/cluster
  prune: true
  interval: 1h
  sourceRef: {kind: GitRepository, name: flux-system}
  patches:
  - target: {kind: Kustomization, name: cluster-apps}
    patch: |
      - op: add
        path: /spec/patches/-
        value:
          target: {group: kustomize.toolkit.fluxcd.io, kind: Kustomization}
          patch: |
            apiVersion: kustomize.toolkit.fluxcd.io/v1
            kind: Kustomization
            metadata: {name: any}
            spec: {wait: false, healthChecks: null}
`

// namespaced guesses the scope of a kind by its name.
func namespaced(kind string) bool {
	return (!strings.HasPrefix(kind, "Cluster") || kind == "Cluster") && !strings.HasPrefix(kind, "Cilium") && !strings.HasSuffix(kind, "Class")
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
