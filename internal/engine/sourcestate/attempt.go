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
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// Attempt is one try to bring a source up to date. What it finds out is written
// into the object, and saved as it goes on.
type Attempt struct {
	client client.Client
	object Object
	before Object // as it was found
	saved  Object // as the cluster has it
}

// Try starts an attempt with an object as the cluster has it.
func Try(c client.Client, object Object) *Attempt {
	return &Attempt{client: c, object: object, before: copyOf(object), saved: copyOf(object)}
}

func copyOf(object Object) Object { return object.DeepCopyObject().(Object) }

// Progress saves what is being done. What failed before stays visible until
// the outcome is known.
func (a *Attempt) Progress(ctx context.Context, message string) error {
	conditions.Delete(a.object, meta.StalledCondition)
	conditions.MarkTrue(a.object, meta.ReconcilingCondition, meta.ProgressingReason, "%s", message)
	conditions.MarkUnknown(a.object, meta.ReadyCondition, meta.ProgressingReason, "%s", message)
	if err := Save(ctx, a.client, a.saved, copyOf(a.object)); err != nil {
		return &Error{Reason: sourcev1.PatchOperationFailedReason, Err: err}
	}
	a.saved = copyOf(a.object)
	return nil
}

// Outdated saves why an artifact is made, or made anew.
func (a *Attempt) Outdated(ctx context.Context, reason, message string) error {
	if a.object.GetArtifact() != nil {
		conditions.MarkTrue(a.object, sourcev1.ArtifactOutdatedCondition, reason, "%s", message)
	}
	return a.Progress(ctx, "building artifact: "+message)
}

// failConditions are those that are only there while something fails.
var failConditions = []string{sourcev1.FetchFailedCondition, sourcev1.BuildFailedCondition, sourcev1.StorageOperationFailedCondition}

// Fail writes why there is no new artifact, and reports whether trying again
// is useless. The reason is that of an *Error, or the one given.
func (a *Attempt) Fail(reason string, err error) (stalled bool) {
	f := &Error{Reason: reason, Err: err}
	var told *Error
	if errors.As(err, &told) {
		f = told
	}
	for _, condition := range failConditions {
		conditions.Delete(a.object, condition)
	}
	condition, message := f.Condition, strings.TrimSpace(err.Error())
	if condition == "" {
		condition = sourcev1.FetchFailedCondition
	}
	if condition == sourcev1.SourceVerifiedCondition { // it is good news where it is true
		conditions.MarkFalse(a.object, condition, f.Reason, "%s", message)
	} else {
		conditions.MarkTrue(a.object, condition, f.Reason, "%s", message)
	}
	if f.Stalled {
		conditions.Delete(a.object, meta.ReconcilingCondition)
		conditions.MarkTrue(a.object, meta.StalledCondition, f.Reason, "%s", message)
	} else {
		conditions.Delete(a.object, meta.StalledCondition)
		conditions.MarkTrue(a.object, meta.ReconcilingCondition, meta.ProgressingWithRetryReason, "%s", message)
	}
	conditions.MarkFalse(a.object, meta.ReadyCondition, f.Reason, "%s", message)
	return f.Stalled
}

// Tell records an event about a new artifact, a recovery or a new failure. The
// message is what is said of an artifact.
func (a *Attempt) Tell(recorder record.EventRecorder, message string) {
	a.TellAs(recorder, "NewArtifact", meta.SucceededReason, message)
}

// TellAs is Tell with other reasons for a new artifact and a recovery.
func (a *Attempt) TellAs(recorder record.EventRecorder, artifactReason, recoveryReason, message string) {
	is, artifact := conditions.Get(a.object, meta.ReadyCondition), a.object.GetArtifact()
	if is == nil {
		return
	}
	annotations := map[string]string{}
	if artifact != nil {
		annotations[sourcev1.GroupVersion.Group+"/revision"] = artifact.Revision
		annotations[sourcev1.GroupVersion.Group+"/digest"] = artifact.Digest
	}
	if !conditions.IsReady(a.object) {
		if was := conditions.Get(a.before, meta.ReadyCondition); was == nil || was.Status != is.Status || was.Message != is.Message {
			recorder.AnnotatedEventf(a.object, annotations, corev1.EventTypeWarning, is.Reason, "%s", is.Message)
		}
		return
	}
	if !artifact.HasDigest(digestOf(a.before)) {
		recorder.AnnotatedEventf(a.object, annotations, corev1.EventTypeNormal, artifactReason, "%s", message)
	} else if conditions.HasAny(a.before, failConditions) || conditions.IsFalse(a.before, sourcev1.SourceVerifiedCondition) {
		recorder.AnnotatedEventf(a.object, annotations, corev1.EventTypeNormal, recoveryReason, "%s", message)
	}
}

func digestOf(object Object) string {
	if artifact := object.GetArtifact(); artifact != nil {
		return artifact.Digest
	}
	return ""
}

// Save writes what is not saved yet.
func (a *Attempt) Save(ctx context.Context) error { return Save(ctx, a.client, a.saved, a.object) }

// LetGo takes off the finalizer that Flux puts on its sources: there is nothing
// left to clean up behind it.
func LetGo(ctx context.Context, c client.Client, object client.Object) error {
	before := object.DeepCopyObject().(client.Object)
	if !controllerutil.RemoveFinalizer(object, sourcev1.SourceFinalizer) {
		return nil
	}
	err := c.Patch(ctx, object, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), client.FieldOwner(FieldManager))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("removing the finalizer of %s/%s: %w", object.GetNamespace(), object.GetName(), err)
	}
	return nil
}
