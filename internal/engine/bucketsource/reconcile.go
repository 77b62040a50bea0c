package bucketsource

import (
	"context"
	"fmt"

	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/kube/work"
	"hearth/internal/source"
)

// Reconcile stores what a Bucket asks for.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	obj := &sourcev1.Bucket{}
	if err := r.client.Get(ctx, req.NamespacedName, obj); err != nil {
		if client.IgnoreNotFound(err) == nil {
			r.release(req.NamespacedName)
		}
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !obj.DeletionTimestamp.IsZero() {
		r.release(req.NamespacedName)
		return reconcile.Result{}, sourcestate.LetGo(ctx, r.client, obj)
	}
	if obj.Spec.Suspend {
		r.backoff.Forget(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	a := &attempt{reconciler: r, obj: obj, Attempt: sourcestate.Try(r.client, obj)}
	err := a.run(ctx)
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	result := a.End(err, sourcev1.BucketOperationFailedReason, a.status(), &r.backoff, obj.Spec.Interval.Duration)
	a.Tell(r.o.Recorder, fmt.Sprintf("stored artifact with %d fetched files from '%s' bucket", a.objects, obj.Spec.BucketName))
	return result, a.Save(ctx)
}

// release lets the store remove what a bucket that is gone had stored.
func (r *reconciler) release(key types.NamespacedName) {
	r.backoff.Forget(key)
	r.o.Store.Release(refOf(key))
}

func refOf(key types.NamespacedName) domain.Ref {
	return domain.Ref{Kind: sourcev1.BucketKind, Namespace: key.Namespace, Name: key.Name}
}

// attempt is one try to bring a bucket up to date.
type attempt struct {
	*reconciler
	*sourcestate.Attempt
	obj     *sourcev1.Bucket
	objects int // how many the bucket holds
}

func (a *attempt) status() sourcestate.Status {
	s := &a.obj.Status
	return sourcestate.Status{ObservedGeneration: &s.ObservedGeneration, Artifact: &s.Artifact, URL: &s.URL, Requests: &s.ReconcileRequestStatus}
}

func (a *attempt) run(ctx context.Context) error {
	if err := a.Begin(ctx, a.o.Store, a.status()); err != nil {
		return err
	}
	if a.o.Offline {
		return fmt.Errorf("the bucket '%s' is not fetched offline", a.obj.Spec.BucketName)
	}
	remote, err := a.remote(ctx)
	if err != nil {
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

// succeed writes into the status what is stored. What the status says already
// stays as it is, so that nothing is written twice.
func (a *attempt) succeed(stored source.Artifact) {
	obj := a.obj
	artifact := a.o.Store.Artifact(stored, refOf(client.ObjectKeyFromObject(obj)))
	if is := obj.Status.Artifact; is != nil && is.Revision == artifact.Revision && is.Digest == artifact.Digest && is.URL == artifact.URL {
		artifact = is
	}
	obj.Status.Artifact, obj.Status.URL = artifact, artifact.URL
	obj.Status.ObservedIgnore = obj.Spec.Ignore
	sourcestate.Succeeded(obj, meta.SucceededReason, fmt.Sprintf("stored artifact: revision '%s'", artifact.Revision))
}
