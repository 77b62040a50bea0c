package gitsource

import (
	"context"
	"fmt"

	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/kube/work"
	"hearth/internal/source"
	"hearth/internal/source/git"
)

// Reconcile stores what a GitRepository asks for.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	obj := &sourcev1.GitRepository{}
	if err := r.client.Get(ctx, req.NamespacedName, obj); err != nil {
		if client.IgnoreNotFound(err) == nil {
			r.release(req.NamespacedName)
		}
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !obj.DeletionTimestamp.IsZero() {
		r.release(req.NamespacedName)
		return reconcile.Result{}, r.letGo(ctx, obj)
	}
	if obj.Spec.Suspend {
		r.forget(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	a := &attempt{reconciler: r, obj: obj, before: obj.DeepCopy(), saved: obj.DeepCopy()}
	err := a.run(ctx)
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	result := reconcile.Result{RequeueAfter: obj.Spec.Interval.Duration}
	if requested, ok := meta.ReconcileAnnotationValue(obj.Annotations); ok {
		obj.Status.SetLastHandledReconcileRequest(requested)
	}
	switch {
	case err == nil:
		r.backoff.Forget(req.NamespacedName)
	case failed(obj, err):
		obj.Status.ObservedGeneration = obj.Generation
		result = reconcile.Result{}
	default:
		result.RequeueAfter = r.backoff.Next(req.NamespacedName, obj.Spec.Interval.Duration)
	}
	a.tell()
	return result, sourcestate.Save(ctx, r.client, a.saved, obj)
}

// release lets the store remove what a repository that is gone had stored.
func (r *reconciler) release(key types.NamespacedName) {
	r.forget(key)
	r.o.Store.Release(domain.Ref{Kind: sourcev1.GitRepositoryKind, Namespace: key.Namespace, Name: key.Name})
}

// letGo takes off the finalizer that Flux puts on its sources: there is
// nothing left to clean up behind it.
func (r *reconciler) letGo(ctx context.Context, obj *sourcev1.GitRepository) error {
	before := obj.DeepCopy()
	if !controllerutil.RemoveFinalizer(obj, sourcev1.SourceFinalizer) {
		return nil
	}
	err := r.client.Patch(ctx, obj, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), client.FieldOwner(sourcestate.FieldManager))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("removing the finalizer of GitRepository %s/%s: %w", obj.Namespace, obj.Name, err)
	}
	return nil
}

func (r *reconciler) forget(key types.NamespacedName) {
	r.backoff.Forget(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.overridden, key)
}

// attempt is one try to bring a repository up to date.
type attempt struct {
	*reconciler
	obj    *sourcev1.GitRepository
	before *sourcev1.GitRepository // as it was found
	saved  *sourcev1.GitRepository // as the cluster has it

	includes []*meta.Artifact
	commit   string // the subject of the commit that was fetched
}

// run stores the override's folder, or what the reference points at.
func (a *attempt) run(ctx context.Context) error {
	folder, overridden := a.override(a.obj)
	if !overridden && a.o.Offline {
		return fmt.Errorf("failed to checkout and determine revision: %s is not cloned offline", git.Redact(a.obj.Spec.URL))
	}
	if a.o.Reach != nil {
		if err := a.o.Reach(git.Redact(a.obj.Spec.URL)); err != nil {
			return fetchFailed(err)
		}
	}
	if overridden {
		if err := a.findIncludes(ctx); err != nil {
			return err
		}
		stored, err := a.snapshot(ctx, folder)
		if err == nil {
			a.succeed(stored)
		}
		return err
	}
	if err := a.begin(ctx); err != nil {
		return err
	}
	remote, err := a.remote(ctx)
	if err != nil {
		return err
	}
	if err := a.findIncludes(ctx); err != nil {
		return err
	}
	if err := a.noteIncludes(ctx); err != nil {
		return err
	}
	var stored source.Artifact
	err = work.Aside(ctx, func(ctx context.Context) (err error) {
		stored, err = a.fetch(ctx, remote)
		return err
	})
	if err == nil {
		a.succeed(stored)
	}
	return err
}
