package observe

import (
	"fmt"
	"strings"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/domain"
)

// Reasons that helm-controller gives without exporting them.
const (
	reasonSourceNotReady  = "SourceNotReady"
	reasonValuesError     = "ValuesError"
	reasonAccessDenied    = "AccessDenied"
	reasonRESTClientError = "RESTClientError"
	reasonRetriesExceeded = "RetriesExceeded"
)

// HelmReleaseState derives the state of a HelmRelease.
//
// Until Helm is first asked to act the release is Pending: its chart or values
// are unresolved, or a dependency is not ready. Once Helm has acted, waiting
// for a dependency or a source is part of Reconciling, and a chart or values
// that cannot be had fail it. A periodic check that changes nothing leaves a
// Ready release Ready.
func HelmReleaseState(r *helmv2.HelmRelease) Standing {
	c := readConditions(r.Status.Conditions)
	switch {
	case r.DeletionTimestamp != nil:
		return deleting(domain.ReleaseDeleting, r.DeletionTimestamp, failureMessage(c.ready))
	case c.stalled.Status == metav1.ConditionTrue:
		return failedRelease(r, c)
	case c.progressing() && !r.Spec.Suspend:
		return progressingRelease(r, c)
	}
	switch c.ready.Status {
	case metav1.ConditionTrue:
		return installedRelease(r, c)
	case metav1.ConditionFalse:
		return refusedRelease(r, c)
	case metav1.ConditionUnknown:
		return told(waitingState(r), c.ready)
	}
	return Standing{State: domain.ReleasePending, Message: "not reconciled yet", Since: since(r.CreationTimestamp)}
}

// started reports whether Helm has ever been asked to act for the release.
func started(r *helmv2.HelmRelease) bool {
	return len(r.Status.History) > 0 || r.Status.LastAttemptedGeneration > 0 || r.Status.LastAttemptedRevision != ""
}

func waitingState(r *helmv2.HelmRelease) domain.State {
	if started(r) {
		return domain.ReleaseReconciling
	}
	return domain.ReleasePending
}

// progressingRelease tells a Helm action from the checks that come before it.
func progressingRelease(r *helmv2.HelmRelease, c fluxConditions) Standing {
	action := strings.HasPrefix(c.reconciling.Message, "Running ")
	switch {
	case action:
		return told(domain.ReleaseReconciling, c.reconciling)
	case c.ready.Status == metav1.ConditionTrue:
		return installedRelease(r, c)
	case !started(r) && c.ready.Status == metav1.ConditionFalse:
		return told(domain.ReleasePending, c.ready)
	}
	return told(waitingState(r), c.reconciling)
}

func installedRelease(r *helmv2.HelmRelease, c fluxConditions) Standing {
	if r.Status.ObservedGeneration != r.Generation && !r.Spec.Suspend {
		s := told(domain.ReleaseReconciling, c.ready)
		s.Message = "its spec has changed and waits to be reconciled"
		return s
	}
	s := told(domain.ReleaseReady, c.ready)
	s.Ready = true
	if latest := latestRelease(r); latest != nil {
		s.round = fmt.Sprint(latest.Version)
	}
	return s
}

// refusedRelease tells waiting from failing.
func refusedRelease(r *helmv2.HelmRelease, c fluxConditions) Standing {
	switch c.ready.Reason {
	case helmv2.DependencyNotReadyReason, reasonSourceNotReady:
		return told(waitingState(r), c.ready)
	case helmv2.ArtifactFailedReason, reasonValuesError, reasonAccessDenied, reasonRESTClientError:
		if !started(r) {
			return told(domain.ReleasePending, c.ready)
		}
	}
	return failedRelease(r, c)
}

func failedRelease(r *helmv2.HelmRelease, c fluxConditions) Standing {
	cause := c.ready
	if cause.Status != metav1.ConditionFalse {
		cause = c.stalled
	}
	s := told(domain.ReleaseFailed, cause)
	s.Message += retriesNote(r, c)
	s.passed = []domain.State{waitingState(r)}
	s.round = fmt.Sprint(r.Status.Failures)
	return s
}

// retriesNote says how many of the release's attempts are used up.
func retriesNote(r *helmv2.HelmRelease, c fluxConditions) string {
	if c.stalled.Status == metav1.ConditionTrue && c.stalled.Reason == reasonRetriesExceeded {
		return " (no retries left: it needs a change, or a forced reconcile)"
	}
	remediation := r.GetActiveRemediation()
	if remediation == nil || remediation.GetRetries() <= 0 {
		return ""
	}
	failures := remediation.GetFailureCount(r)
	if failures == 0 {
		return ""
	}
	return fmt.Sprintf(" (attempt %d of %d)", failures, remediation.GetRetries()+1)
}

// latestRelease returns the newest release of the history, without sorting the
// cached object's own.
func latestRelease(r *helmv2.HelmRelease) *helmv2.Snapshot {
	var latest *helmv2.Snapshot
	for _, s := range r.Status.History {
		if s != nil && (latest == nil || s.Version > latest.Version) {
			latest = s
		}
	}
	return latest
}
