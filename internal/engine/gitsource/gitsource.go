// Package gitsource keeps GitRepositories up to date as Flux's
// source-controller does: it stores what their reference points at and tells
// it in their status.
//
// A repository may be overridden by a folder on disk, as a rehearsal does with
// the homelab it plays: then the folder's working tree is what it serves, as it
// is now, committed or not. Other repositories are cloned, unless the process
// works offline. Signatures are not verified and other repositories are not
// included: a repository that asks for either fails and says so.
package gitsource

import (
	"context"
	"fmt"
	"sync"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/predicates"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	crsource "sigs.k8s.io/controller-runtime/pkg/source"

	"hearth/internal/domain"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/kube/work"
	"hearth/internal/source"
)

// concurrency is how many repositories are under way at once.
const concurrency = 32

// Options are what the reconciler works with.
type Options struct {
	// Gate bounds the work done at once; nil bounds nothing.
	Gate *work.Gate
	// Store takes the artifacts.
	Store *source.Store
	// Overrides are served from disk; the first that fits counts.
	Overrides []Override
	// Refresh is sent a value when an overridden folder may have changed. Nil
	// means that folders are looked at again at the repository's interval only.
	Refresh <-chan struct{}
	// Offline makes a repository that would have to be cloned fail.
	Offline bool
	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
}

// Setup registers the reconciler with a manager.
func Setup(mgr manager.Manager, o Options) error {
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor(sourcestate.FieldManager)
	}
	r := &reconciler{o: o, client: mgr.GetClient(), overridden: map[types.NamespacedName]bool{}, trees: map[string]*source.WorkingTree{}}
	skip := true
	err := builder.ControllerManagedBy(mgr).Named("gitrepository").
		For(&sourcev1.GitRepository{}, builder.WithPredicates(
			predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicates.ReconcileRequestedPredicate{}))).
		WatchesRawSource(crsource.Func(r.followRefresh)).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, SkipNameValidation: &skip}).
		Complete(work.Reconciler(o.Gate, r))
	if err != nil {
		return fmt.Errorf("setting up the GitRepository reconciler: %w", err)
	}
	return nil
}

type reconciler struct {
	o       Options
	client  client.Client
	backoff work.Backoff[types.NamespacedName]

	mu         sync.Mutex
	overridden map[types.NamespacedName]bool
	trees      map[string]*source.WorkingTree
}

// followRefresh queues the overridden repositories whenever their folders may
// have changed.
func (r *reconciler) followRefresh(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	if r.o.Refresh == nil {
		return nil
	}
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case _, ok := <-r.o.Refresh:
				if !ok {
					return
				}
				for _, key := range r.overriddenKeys() {
					queue.Add(reconcile.Request{NamespacedName: key})
				}
			}
		}
	}()
	return nil
}

// Reconcile stores what a GitRepository asks for.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	obj := &sourcev1.GitRepository{}
	if err := r.client.Get(ctx, req.NamespacedName, obj); err != nil {
		r.forget(req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if obj.Spec.Suspend || !obj.DeletionTimestamp.IsZero() {
		r.forget(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	before := obj.DeepCopy()
	if requested, ok := meta.ReconcileAnnotationValue(obj.Annotations); ok {
		obj.Status.SetLastHandledReconcileRequest(requested)
	}
	artifact, err := r.fetch(ctx, obj)
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	result := reconcile.Result{RequeueAfter: obj.Spec.Interval.Duration}
	if err == nil {
		r.backoff.Forget(req.NamespacedName)
		r.succeed(obj, artifact)
	} else if sourcestate.Failed(obj, sourcev1.GitOperationFailedReason, err) {
		obj.Status.ObservedGeneration = obj.Generation
		result = reconcile.Result{}
	} else {
		result.RequeueAfter = r.backoff.Next(req.NamespacedName, obj.Spec.Interval.Duration)
	}
	sourcestate.Tell(r.o.Recorder, before, obj)
	return result, sourcestate.Save(ctx, r.client, before, obj)
}

// fetch stores the override's folder, or a clone.
func (r *reconciler) fetch(ctx context.Context, obj *sourcev1.GitRepository) (source.Artifact, error) {
	folder, ok := r.override(obj)
	if ok {
		return r.snapshot(ctx, obj, folder)
	}
	if r.o.Offline {
		return source.Artifact{}, fmt.Errorf("failed to checkout and determine revision: %s is not cloned offline", redact(obj.Spec.URL))
	}
	var artifact source.Artifact
	err := work.Aside(ctx, func(ctx context.Context) (err error) {
		artifact, err = r.clone(ctx, obj)
		return err
	})
	return artifact, err
}

// succeed writes into the status what is stored. What the status says already
// stays as it is, so that nothing is written twice.
func (r *reconciler) succeed(obj *sourcev1.GitRepository, a source.Artifact) {
	ref := domain.Ref{Kind: sourcev1.GitRepositoryKind, Namespace: obj.Namespace, Name: obj.Name}
	artifact := r.o.Store.Artifact(a, ref)
	if is := obj.Status.Artifact; is != nil && is.Revision == artifact.Revision && is.Digest == artifact.Digest && is.URL == artifact.URL {
		artifact = is
	}
	obj.Status.Artifact = artifact
	obj.Status.ObservedGeneration = obj.Generation
	obj.Status.ObservedIgnore = obj.Spec.Ignore
	obj.Status.ObservedRecurseSubmodules = obj.Spec.RecurseSubmodules
	obj.Status.ObservedSparseCheckout = obj.Spec.SparseCheckout
	sourcestate.Succeeded(obj, meta.SucceededReason, fmt.Sprintf("stored artifact for revision '%s'", artifact.Revision))
}

func (r *reconciler) forget(key types.NamespacedName) {
	r.backoff.Forget(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.overridden, key)
}
