// Package helmsource keeps HelmRepositories and HelmCharts up to date as Flux's
// source-controller does: the index of an http repository, and for each
// HelmChart the archive of the version that it asks for, out of a Helm
// repository, an OCI registry or a Git tree.
//
// Where charts come from is decided by source.Charts. Provenance is not
// verified, and a chart in Git brings its dependencies along.
package helmsource

import (
	"context"
	"fmt"
	"time"

	"github.com/fluxcd/pkg/runtime/predicates"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

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
	err = builder.ControllerManagedBy(mgr).Named("helmchart").
		For(&sourcev1.HelmChart{}, asked).
		Watches(&sourcev1.HelmRepository{}, handler.EnqueueRequestsFromMapFunc(c.of(sourcev1.HelmRepositoryKind)), builder.WithPredicates(predicate.ResourceVersionChangedPredicate{})).
		Watches(&sourcev1.GitRepository{}, handler.EnqueueRequestsFromMapFunc(c.of(sourcev1.GitRepositoryKind)), builder.WithPredicates(predicate.ResourceVersionChangedPredicate{})).
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

// finish writes the status and says when the next try is due.
func (b base) finish(ctx context.Context, before, obj sourcestate.Object, reason string, observed *int64, interval time.Duration, err error) (reconcile.Result, error) {
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	key := client.ObjectKeyFromObject(obj)
	result := reconcile.Result{RequeueAfter: interval}
	if err == nil {
		b.backoff.Forget(key)
		*observed = obj.GetGeneration()
	} else if sourcestate.Failed(obj, reason, err) {
		*observed = obj.GetGeneration()
		result = reconcile.Result{}
	} else {
		result.RequeueAfter = b.backoff.Next(key, interval)
	}
	sourcestate.Tell(b.o.Recorder, before, obj)
	return result, sourcestate.Save(ctx, b.client, before, obj)
}

// of returns the HelmCharts that refer to a source.
func (c *charts) of(kind string) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		var list sourcev1.HelmChartList
		key := kind + "/" + client.ObjectKeyFromObject(obj).String()
		if err := c.client.List(ctx, &list, client.MatchingFields{chartsBySource: key}, client.UnsafeDisableDeepCopy); err != nil {
			return nil
		}
		requests := make([]reconcile.Request, len(list.Items))
		for i := range list.Items {
			requests[i].NamespacedName = client.ObjectKeyFromObject(&list.Items[i])
		}
		return requests
	}
}
