// Package helmsource keeps HelmRepositories and HelmCharts up to date as Flux's
// source-controller does: the index of an http repository, and for each
// HelmChart the archive of the version that it asks for, out of a Helm
// repository, an OCI registry, or a folder of a Git repository or a bucket.
//
// A chart that stands in a folder is packed with its dependencies: those beside
// it in the same artifact, and those of repositories, for which the
// HelmRepositories of its namespace hold the credentials. What fails leaves the
// last good artifact where it is.
//
// Where charts come from is decided by source.Charts. A HelmRepository of type
// oci has nothing to fetch, and so no status, as in Flux.
package helmsource

import (
	"context"
	"fmt"

	"github.com/fluxcd/pkg/runtime/predicates"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/kube/work"
	"hearth/internal/source"
)

// concurrency is how many objects of each kind are under way at once.
const concurrency = 32

// Options are what the reconcilers work with.
type Options struct {
	// Gate bounds the work done at once; nil bounds nothing.
	Gate *work.Gate
	// Store takes the artifacts, Charts fetches them.
	Store  *source.Store
	Charts *source.Charts
	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
}

// chartsBySource is the index over HelmCharts by what they refer to.
const chartsBySource = "hearth.helmchart.source"

// Setup registers both reconcilers with a manager.
func Setup(mgr manager.Manager, o Options) error {
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor(sourcestate.FieldManager)
	}
	base := base{o: o, client: mgr.GetClient(), backoff: &work.Backoff[types.NamespacedName]{}}
	skip := true
	options := controller.Options{MaxConcurrentReconciles: concurrency, SkipNameValidation: &skip}
	asked := builder.WithPredicates(predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicates.ReconcileRequestedPredicate{}))
	err := builder.ControllerManagedBy(mgr).Named("helmrepository").
		For(&sourcev1.HelmRepository{}, asked).
		WithOptions(options).
		Complete(work.Reconciler(o.Gate, &repositories{base}))
	if err != nil {
		return fmt.Errorf("setting up the HelmRepository reconciler: %w", err)
	}
	err = mgr.GetFieldIndexer().IndexField(context.Background(), &sourcev1.HelmChart{}, chartsBySource, func(obj client.Object) []string {
		ref := obj.(*sourcev1.HelmChart).Spec.SourceRef
		return []string{ref.Kind + "/" + obj.GetNamespace() + "/" + ref.Name}
	})
	if err != nil {
		return fmt.Errorf("setting up the HelmChart reconciler: %w", err)
	}
	base.backoff = &work.Backoff[types.NamespacedName]{}
	c := &charts{base}
	changed := builder.WithPredicates(predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, artifactChanged))
	err = builder.ControllerManagedBy(mgr).Named("helmchart").
		For(&sourcev1.HelmChart{}, asked).
		Watches(&sourcev1.HelmRepository{}, handler.EnqueueRequestsFromMapFunc(c.of(sourcev1.HelmRepositoryKind)), changed).
		Watches(&sourcev1.GitRepository{}, handler.EnqueueRequestsFromMapFunc(c.of(sourcev1.GitRepositoryKind)), changed).
		Watches(&sourcev1.Bucket{}, handler.EnqueueRequestsFromMapFunc(c.of(sourcev1.BucketKind)), changed).
		WithOptions(options).
		Complete(work.Reconciler(o.Gate, c))
	if err != nil {
		return fmt.Errorf("setting up the HelmChart reconciler: %w", err)
	}
	return nil
}

// base is what both reconcilers share.
type base struct {
	o       Options
	client  client.Client
	backoff *work.Backoff[types.NamespacedName]
}

// release lets the store remove what an object that is gone had stored.
func (b base) release(kind string, key types.NamespacedName) {
	b.backoff.Forget(key)
	b.o.Store.Release(domain.Ref{Kind: kind, Namespace: key.Namespace, Name: key.Name})
}

// artifactChanged passes sources whose artifact is not what it was.
var artifactChanged = predicate.Funcs{
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(sourcev1.Source)
		after, also := e.ObjectNew.(sourcev1.Source)
		if !ok || !also {
			return false
		}
		a, b := before.GetArtifact(), after.GetArtifact()
		return (a == nil) != (b == nil) || b != nil && !a.HasRevision(b.Revision)
	},
}

// of returns the HelmCharts that refer to a source.
func (c *charts) of(kind string) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		var list sourcev1.HelmChartList
		key := kind + "/" + client.ObjectKeyFromObject(obj).String()
		if err := c.client.List(ctx, &list, client.MatchingFields{chartsBySource: key}, client.UnsafeDisableDeepCopy); err != nil {
			return nil // they look again at their interval
		}
		requests := make([]reconcile.Request, len(list.Items))
		for i := range list.Items {
			requests[i].NamespacedName = client.ObjectKeyFromObject(&list.Items[i])
		}
		return requests
	}
}
