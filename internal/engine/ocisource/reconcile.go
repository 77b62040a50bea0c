package ocisource

import (
	"context"
	"fmt"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/source"
)

// Reconcile stores what an OCIRepository asks for.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	obj := &sourcev1.OCIRepository{}
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
	result := a.End(err, sourcev1.OCIPullFailedReason, a.status(), &r.backoff, obj.Spec.Interval.Duration)
	a.Tell(r.o.Recorder, a.news())
	return result, a.Save(ctx)
}

// release lets the store remove what a repository that is gone had stored.
func (r *reconciler) release(key types.NamespacedName) {
	r.backoff.Forget(key)
	r.o.Store.Release(refOf(key))
}

func refOf(key types.NamespacedName) domain.Ref {
	return domain.Ref{Kind: sourcev1.OCIRepositoryKind, Namespace: key.Namespace, Name: key.Name}
}

// attempt is one try to bring a repository up to date.
type attempt struct {
	*reconciler
	*sourcestate.Attempt
	obj *sourcev1.OCIRepository
}

func (a *attempt) status() sourcestate.Status {
	s := &a.obj.Status
	return sourcestate.Status{ObservedGeneration: &s.ObservedGeneration, Artifact: &s.Artifact, URL: &s.URL, Requests: &s.ReconcileRequestStatus}
}

func (a *attempt) run(ctx context.Context) error {
	if err := a.Begin(ctx, a.o.Store, a.status()); err != nil {
		return err
	}
	if conditions.IsFalse(a.obj, sourcev1.SourceVerifiedCondition) {
		conditions.Delete(a.obj, sourcev1.SourceVerifiedCondition)
	}
	want, err := a.request(ctx)
	if err != nil {
		return err
	}
	found, err := a.fetch(ctx, want)
	if err != nil {
		return err
	}
	has := a.obj.Status.Artifact.HasRevision(found.Revision)
	if !has {
		message := fmt.Sprintf("new revision '%s' for '%s'", found.Revision, a.obj.Spec.URL)
		if err := a.Outdated(ctx, "NewRevision", message); err != nil {
			return err
		}
	}
	if err := a.verify(ctx, want, found); err != nil {
		return err
	}
	if !has || a.contentChanged() {
		stored, err := a.store(ctx, want, found)
		if err != nil {
			return err
		}
		a.keep(stored, found)
	}
	a.obj.Status.ObservedIgnore = a.obj.Spec.Ignore
	a.obj.Status.ObservedLayerSelector = a.obj.Spec.LayerSelector.DeepCopy()
	sourcestate.Succeeded(a.obj, meta.SucceededReason, fmt.Sprintf("stored artifact for digest '%s'", found.Revision))
	return nil
}

// contentChanged reports whether the spec asks for other content of the same
// revision than is stored.
func (a *attempt) contentChanged() bool {
	spec, status := &a.obj.Spec, &a.obj.Status
	return !ptr.Equal(spec.Ignore, status.ObservedIgnore) || !ptr.Equal(spec.LayerSelector, status.ObservedLayerSelector)
}

// keep names in the status what was stored.
func (a *attempt) keep(stored source.Artifact, found *source.ChartResult) {
	artifact := a.o.Store.Artifact(stored, refOf(client.ObjectKeyFromObject(a.obj)))
	artifact.Metadata = found.Annotations
	a.obj.Status.Artifact, a.obj.Status.URL = artifact, artifact.URL
}

// What an artifact's annotations say of where it was made from.
const (
	annotationSource   = "org.opencontainers.image.source"
	annotationRevision = "org.opencontainers.image.revision"
)

// news is what is told of a new artifact.
func (a *attempt) news() string {
	artifact := a.obj.Status.Artifact
	if artifact == nil {
		return ""
	}
	message := fmt.Sprintf("stored artifact with revision '%s' from '%s'", artifact.Revision, a.obj.Spec.URL)
	origin, revision := artifact.Metadata[annotationSource], artifact.Metadata[annotationRevision]
	if origin != "" && revision != "" {
		message += fmt.Sprintf(", origin source '%s', origin revision '%s'", origin, revision)
	}
	return message
}
