// Package helmrelease makes the releases that HelmReleases describe follow
// their charts and values, as Flux's helm-controller does: it installs,
// upgrades, tests, rolls back and uninstalls through the Helm SDK, retries and
// remediates as the spec says, and tells all that in the status, the
// conditions and the events that Flux writes. Releases are kept where Helm
// keeps them, so that `helm list` shows them.
//
// A dependency that turns ready, a source that has a new artifact, or a
// ConfigMap or Secret that appears wakes whoever waits for it at once. An
// action that runs while its HelmRelease changes, is suspended or deleted is
// cut short, and one that an ended process left behind is taken up again.
// Nothing here polls, and nothing waits for ever.
//
// Fetching charts is left to ocisource and helmsource, composing values to
// render/helm, and what is applied and watched to helmkube.
package helmrelease

import (
	"context"
	"fmt"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"hearth/internal/domain"
	"hearth/internal/engine/helmrelease/helmkube"
	"hearth/internal/engine/helmrelease/helmstore"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
	"hearth/internal/render"
	"hearth/internal/render/helm"
	"hearth/internal/source"
	"hearth/internal/source/foreign"
)

// concurrency is how many HelmReleases are under way at once. Most of them
// wait; the gate bounds how many do work.
const concurrency = 128

// Options are what the reconciler works with.
type Options struct {
	// Gate bounds the work done at once; nil bounds nothing.
	Gate *work.Gate
	// Objects is where readiness is watched.
	Objects *objects.Objects
	// Store holds the artifacts that sources name in their status.
	Store *source.Store
	// Artifacts finds those, and fetches what others publish; nil makes one
	// for the store.
	Artifacts *foreign.Artifacts
	// Charts are the charts loaded; nil means new ones.
	Charts *helm.Charts
	// Index tells where in Git a HelmRelease stands; nil knows nothing.
	Index *render.Index
	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
	// UnknownKind is asked what to do about a kind of a chart's manifest that
	// the cluster does not know; place is where the HelmRelease stands. It
	// reports whether it made the kind known. Nil means that the release fails.
	UnknownKind func(ctx context.Context, gvk schema.GroupVersionKind, place domain.Place) (handled bool, err error)
	// NoCrossNamespaceRefs refuses charts and sources of other namespaces.
	NoCrossNamespaceRefs bool
	// RenderTimeout is how long a chart's templates may take; zero means
	// helm.RenderTimeout.
	RenderTimeout time.Duration
	// Timeout replaces how long an action may wait, given what the spec says.
	// Nil keeps what the spec says.
	Timeout func(time.Duration) time.Duration
}

// Setup registers the reconciler with a manager.
func Setup(mgr manager.Manager, o Options) error {
	conn, err := helmkube.Connect(mgr.GetConfig(), mgr.GetRESTMapper(), o.Objects)
	if err != nil {
		return err
	}
	if o.Artifacts == nil {
		o.Artifacts = foreign.New(o.Store)
	}
	if o.Charts == nil {
		o.Charts = &helm.Charts{}
	}
	if o.RenderTimeout == 0 {
		o.RenderTimeout = helm.RenderTimeout
	}
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor("helm-controller")
	}
	r := &reconciler{
		o:       o,
		client:  mgr.GetClient(),
		conn:    conn,
		written: &helmstore.Written{},
		users:   map[string]*helmkube.Connection{},
	}
	if err := r.index(mgr); err != nil {
		return fmt.Errorf("setting up the HelmRelease reconciler: %w", err)
	}
	if err := mgr.Add(manager.RunnableFunc(func(ctx context.Context) error { return r.followKinds(ctx, mgr.GetCache()) })); err != nil {
		return fmt.Errorf("setting up the HelmRelease reconciler: %w", err)
	}
	skip := true
	err = builder.ControllerManagedBy(mgr).Named("helmrelease").
		For(&helmv2.HelmRelease{}, builder.WithPredicates(asksForWork())).
		Watches(&helmv2.HelmRelease{}, handler.EnqueueRequestsFromMapFunc(r.dependents), builder.WithPredicates(readinessChanged())).
		Watches(&sourcev1.OCIRepository{}, handler.EnqueueRequestsFromMapFunc(r.usersOf(sourcev1.OCIRepositoryKind)), builder.WithPredicates(artifactChanged())).
		Watches(&sourcev1.ExternalArtifact{}, handler.EnqueueRequestsFromMapFunc(r.usersOf(sourcev1.ExternalArtifactKind)), builder.WithPredicates(artifactChanged())).
		Watches(&sourcev1.HelmChart{}, handler.EnqueueRequestsFromMapFunc(r.usersOf(sourcev1.HelmChartKind)), builder.WithPredicates(artifactChanged())).
		Watches(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.valuedBy("ConfigMap")), builder.WithPredicates(dataChanged())).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.valuedBy("Secret")), builder.WithPredicates(dataChanged())).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, SkipNameValidation: &skip, RateLimiter: work.Limiter()}).
		Complete(work.Reconciler(o.Gate, r))
	if err != nil {
		return fmt.Errorf("setting up the HelmRelease reconciler: %w", err)
	}
	return nil
}

// followKinds tells the connection when the cluster gets or loses kinds.
func (r *reconciler) followKinds(ctx context.Context, c cache.Cache) error {
	changed := func(any) { r.kindsChanged() }
	events := toolscache.ResourceEventHandlerFuncs{
		AddFunc:    changed,
		UpdateFunc: func(_, obj any) { changed(obj) },
		DeleteFunc: changed,
	}
	for _, gvk := range []schema.GroupVersionKind{
		{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"},
		{Group: "apiregistration.k8s.io", Version: "v1", Kind: "APIService"},
	} {
		kind := &metav1.PartialObjectMetadata{}
		kind.SetGroupVersionKind(gvk)
		informer, err := c.GetInformer(ctx, kind)
		if err != nil {
			return fmt.Errorf("following %s: %w", gvk.Kind, err)
		}
		if _, err := informer.AddEventHandler(events); err != nil {
			return fmt.Errorf("following %s: %w", gvk.Kind, err)
		}
	}
	return nil
}

func (r *reconciler) kindsChanged() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conn.KindsChanged()
	for _, conn := range r.users {
		conn.KindsChanged()
	}
}

func namespacedName(namespace, name string) string {
	return types.NamespacedName{Namespace: namespace, Name: name}.String()
}
