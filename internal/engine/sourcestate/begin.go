package sourcestate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/work"
	"hearth/internal/source"
)

// Status points at what the status of every kind of source has.
type Status struct {
	ObservedGeneration *int64
	Artifact           **meta.Artifact
	URL                *string
	Requests           *meta.ReconcileRequestStatus
}

// Begin says that something is done about a new spec, about a request, or about
// an artifact that the store has lost. Where there is none of these nothing is
// written.
func (a *Attempt) Begin(ctx context.Context, store *source.Store, status Status) error {
	if artifact := *status.Artifact; artifact != nil {
		if _, err := store.Resolve(artifact); errors.Is(err, source.ErrNotStored) {
			*status.Artifact, *status.URL = nil, ""
			conditions.Delete(a.object, sourcev1.ArtifactInStorageCondition)
			return a.Progress(ctx, "building artifact: disappeared from storage")
		} else if err != nil {
			return &Error{Condition: sourcev1.StorageOperationFailedCondition, Reason: sourcev1.StatOperationFailedReason, Err: err}
		}
	}
	requested, _ := meta.ReconcileAnnotationValue(a.object.GetAnnotations())
	switch generation := a.object.GetGeneration(); {
	case generation != *status.ObservedGeneration:
		return a.Progress(ctx, fmt.Sprintf("processing object: new generation %d -> %d", *status.ObservedGeneration, generation))
	case requested != status.Requests.GetLastHandledReconcileRequest():
		return a.Progress(ctx, "reconciliation in progress")
	}
	return nil
}

// End writes the outcome into the status, and says when the next try is due.
// The reason is that of an error that has none of its own. What is said of the
// outcome, and saving it, are left to the caller.
func (a *Attempt) End(err error, reason string, status Status, backoff *work.Backoff[types.NamespacedName], interval time.Duration) reconcile.Result {
	if requested, ok := meta.ReconcileAnnotationValue(a.object.GetAnnotations()); ok {
		status.Requests.SetLastHandledReconcileRequest(requested)
	}
	key := client.ObjectKeyFromObject(a.object)
	if err == nil {
		backoff.Forget(key)
		*status.ObservedGeneration = a.object.GetGeneration()
		return reconcile.Result{RequeueAfter: interval}
	}
	if a.Fail(reason, err) {
		*status.ObservedGeneration = a.object.GetGeneration()
		return reconcile.Result{}
	}
	return reconcile.Result{RequeueAfter: backoff.Next(key, interval)}
}

// maxAge is how old what others fetched may be at most.
const maxAge = 30 * time.Second

// MaxAge is how old what others fetched may be for an object that is looked at
// at an interval. A request asks for what is there now.
func (a *Attempt) MaxAge(status Status, interval time.Duration) time.Duration {
	if requested, _ := meta.ReconcileAnnotationValue(a.object.GetAnnotations()); requested != status.Requests.GetLastHandledReconcileRequest() {
		return source.Now
	}
	return min(maxAge, interval/2)
}
