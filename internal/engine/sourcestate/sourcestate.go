// Package sourcestate writes into a source object's status what became of
// fetching it, with the conditions, reasons and messages that Flux's
// source-controller uses.
//
// How an artifact is fetched, and when the next try is due, is left to the
// reconcilers of each kind.
package sourcestate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// FieldManager is who writes the status, as with Flux.
const FieldManager = "source-controller"

// Error is a failure with the reason that its condition shows. A stalled one
// cannot be mended by trying again.
type Error struct {
	// Condition is the one that becomes true; empty means FetchFailed.
	Condition string
	Reason    string
	Stalled   bool
	Err       error
}

// Error returns the cause's message.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Object is a source with conditions.
type Object interface {
	client.Object
	conditions.Setter
	GetArtifact() *meta.Artifact
}

// Succeeded says that an artifact is stored.
func Succeeded(obj Object, reason, message string) {
	if obj.GetArtifact() != nil {
		conditions.MarkTrue(obj, sourcev1.ArtifactInStorageCondition, reason, "%s", message)
	}
	for _, abnormal := range []string{
		sourcev1.FetchFailedCondition, sourcev1.BuildFailedCondition, sourcev1.ArtifactOutdatedCondition,
		sourcev1.StorageOperationFailedCondition, meta.ReconcilingCondition, meta.StalledCondition,
	} {
		conditions.Delete(obj, abnormal)
	}
	conditions.MarkTrue(obj, meta.ReadyCondition, reason, "%s", message)
}

// Failed says why there is no new artifact. Whether it is tried again decides
// between Reconciling and Stalled. The reason is that of an *Error, or the one
// given.
func Failed(obj Object, reason string, err error) (stalled bool) {
	var known *Error
	if errors.As(err, &known) {
		reason, stalled = known.Reason, known.Stalled
	}
	message := strings.TrimSpace(err.Error())
	conditions.MarkTrue(obj, sourcev1.FetchFailedCondition, reason, "%s", message)
	if stalled {
		conditions.MarkStalled(obj, reason, "%s", message)
	} else {
		conditions.MarkReconciling(obj, meta.ProgressingWithRetryReason, "%s", message)
	}
	conditions.MarkFalse(obj, meta.ReadyCondition, reason, "%s", message)
	return stalled
}

// Save writes the status, if anything of it changed. The reconciler owns it
// alone, so what others changed in the meantime does not matter.
func Save(ctx context.Context, c client.Client, before, after client.Object) error {
	patch := client.MergeFrom(before)
	data, err := patch.Data(after)
	if err != nil {
		return fmt.Errorf("saving the status of %s/%s: %w", after.GetNamespace(), after.GetName(), err)
	}
	if string(data) == "{}" {
		return nil
	}
	err = c.Status().Patch(ctx, after, patch, client.FieldOwner(FieldManager))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("saving the status of %s/%s: %w", after.GetNamespace(), after.GetName(), err)
	}
	return nil
}

// Tell records an event about a change: a new artifact, or a new failure.
func Tell(recorder record.EventRecorder, before, after Object) {
	was, is := conditions.Get(before, meta.ReadyCondition), conditions.Get(after, meta.ReadyCondition)
	if is == nil || was != nil && was.Status == is.Status && was.Message == is.Message {
		return
	}
	annotations := map[string]string{}
	if artifact := after.GetArtifact(); artifact != nil {
		annotations[sourcev1.GroupVersion.Group+"/revision"] = artifact.Revision
		annotations[sourcev1.GroupVersion.Group+"/digest"] = artifact.Digest
	}
	kind, reason := corev1.EventTypeWarning, is.Reason
	if conditions.IsReady(after) {
		kind = corev1.EventTypeNormal
		if after.GetArtifact() != nil {
			reason = "NewArtifact"
		}
	}
	recorder.AnnotatedEventf(after, annotations, kind, reason, "%s", is.Message)
}
