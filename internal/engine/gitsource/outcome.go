package gitsource

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/source"
)

// failure is why there is no new artifact, with the condition and the reason
// that Flux shows for it. A stalled one cannot be mended by trying again.
type failure struct {
	condition string // empty means FetchFailed
	reason    string
	stalled   bool
	err       error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// failConditions are those that are only there while something fails.
var failConditions = []string{sourcev1.FetchFailedCondition, sourcev1.IncludeUnavailableCondition, sourcev1.StorageOperationFailedCondition}

// failed writes a failure into the status, and reports whether trying again is
// useless.
func failed(obj *sourcev1.GitRepository, err error) (stalled bool) {
	f := &failure{reason: sourcev1.GitOperationFailedReason, err: err}
	var told *failure
	if errors.As(err, &told) {
		f = told
	}
	condition := f.condition
	if condition == "" {
		condition = sourcev1.FetchFailedCondition
	}
	message := strings.TrimSpace(err.Error())
	for _, other := range failConditions {
		if other != condition {
			conditions.Delete(obj, other)
		}
	}
	if condition == sourcev1.SourceVerifiedCondition {
		conditions.MarkFalse(obj, condition, f.reason, "%s", message)
	} else {
		conditions.MarkTrue(obj, condition, f.reason, "%s", message)
	}
	if f.stalled {
		conditions.Delete(obj, meta.ReconcilingCondition)
		conditions.MarkTrue(obj, meta.StalledCondition, f.reason, "%s", message)
	} else {
		conditions.Delete(obj, meta.StalledCondition)
		conditions.MarkTrue(obj, meta.ReconcilingCondition, meta.ProgressingWithRetryReason, "%s", message)
	}
	conditions.MarkFalse(obj, meta.ReadyCondition, f.reason, "%s", message)
	return f.stalled
}

// succeed writes into the status what is stored. What the status says already
// stays as it is, so that nothing is written twice.
func (a *attempt) succeed(stored source.Artifact) {
	obj := a.obj
	ref := domain.Ref{Kind: sourcev1.GitRepositoryKind, Namespace: obj.Namespace, Name: obj.Name}
	artifact := a.o.Store.Artifact(stored, ref)
	if is := obj.Status.Artifact; is != nil && is.Revision == artifact.Revision && is.Digest == artifact.Digest && is.URL == artifact.URL {
		artifact = is
	}
	obj.Status.Artifact = artifact
	obj.Status.IncludedArtifacts = a.includes
	obj.Status.ObservedGeneration = obj.Generation
	obj.Status.ObservedIgnore = obj.Spec.Ignore
	obj.Status.ObservedRecurseSubmodules = obj.Spec.RecurseSubmodules
	obj.Status.ObservedInclude = obj.Spec.Include
	obj.Status.ObservedSparseCheckout = obj.Spec.SparseCheckout
	conditions.Delete(obj, sourcev1.IncludeUnavailableCondition)
	sourcestate.Succeeded(obj, meta.SucceededReason, fmt.Sprintf("stored artifact for revision '%s'", artifact.Revision))
}

// begin says that something is done about a new spec, or about a request.
// Where neither is new nothing is written.
func (a *attempt) begin(ctx context.Context) error {
	obj := a.obj
	if artifact := obj.Status.Artifact; artifact != nil {
		if _, err := a.o.Store.Resolve(artifact); errors.Is(err, source.ErrNotStored) {
			obj.Status.Artifact = nil
			conditions.Delete(obj, sourcev1.ArtifactInStorageCondition)
			return a.progress(ctx, "building artifact: disappeared from storage")
		} else if err != nil {
			return &failure{condition: sourcev1.StorageOperationFailedCondition, reason: sourcev1.StatOperationFailedReason, err: err}
		}
	}
	requested, _ := meta.ReconcileAnnotationValue(obj.Annotations)
	switch {
	case obj.Generation != obj.Status.ObservedGeneration:
		return a.progress(ctx, fmt.Sprintf("processing object: new generation %d -> %d", obj.Status.ObservedGeneration, obj.Generation))
	case requested != obj.Status.GetLastHandledReconcileRequest():
		return a.progress(ctx, "reconciliation in progress")
	}
	return nil
}

// progress writes what is being done. What failed before stays visible until
// the outcome is known.
func (a *attempt) progress(ctx context.Context, message string) error {
	conditions.Delete(a.obj, meta.StalledCondition)
	conditions.MarkTrue(a.obj, meta.ReconcilingCondition, meta.ProgressingReason, "%s", message)
	conditions.MarkUnknown(a.obj, meta.ReadyCondition, meta.ProgressingReason, "%s", message)
	// Of a copy, since what comes back may be a newer spec than is worked on.
	if err := sourcestate.Save(ctx, a.client, a.saved, a.obj.DeepCopy()); err != nil {
		return &failure{reason: sourcev1.PatchOperationFailedReason, err: err}
	}
	a.saved = a.obj.DeepCopy()
	return nil
}

// outdated says why the artifact is being replaced.
func (a *attempt) outdated(ctx context.Context, reason, message string, had bool) error {
	if had {
		conditions.MarkTrue(a.obj, sourcev1.ArtifactOutdatedCondition, reason, "%s", message)
	}
	return a.progress(ctx, "building artifact: "+message)
}

// tell records an event about a new artifact, a recovery or a new failure.
func (a *attempt) tell() {
	was, is := conditions.Get(a.before, meta.ReadyCondition), conditions.Get(a.obj, meta.ReadyCondition)
	if is == nil {
		return
	}
	annotations := map[string]string{}
	artifact := a.obj.GetArtifact()
	if artifact != nil {
		annotations[sourcev1.GroupVersion.Group+"/revision"] = artifact.Revision
		annotations[sourcev1.GroupVersion.Group+"/digest"] = artifact.Digest
	}
	if !conditions.IsReady(a.obj) {
		if was == nil || was.Status != is.Status || was.Message != is.Message {
			a.o.Recorder.AnnotatedEventf(a.obj, annotations, corev1.EventTypeWarning, is.Reason, "%s", is.Message)
		}
		return
	}
	message := is.Message
	if a.commit != "" {
		message = fmt.Sprintf("stored artifact for commit '%s'", a.commit)
	}
	if before := a.before.GetArtifact(); before == nil || before.Digest != artifact.Digest || before.Revision != artifact.Revision {
		a.o.Recorder.AnnotatedEventf(a.obj, annotations, corev1.EventTypeNormal, "NewArtifact", "%s", message)
	} else if conditions.HasAny(a.before, failConditions) || conditions.IsFalse(a.before, sourcev1.SourceVerifiedCondition) {
		a.o.Recorder.AnnotatedEventf(a.obj, annotations, corev1.EventTypeNormal, meta.SucceededReason, "%s", message)
	}
}
