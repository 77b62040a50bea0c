package observe

import (
	"strings"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/domain"
)

// KustomizationState derives the state of a Kustomization.
//
// Fetching, Building and Applying are told by the Reconciling condition. One
// that waits for a dependency has not begun: it is Idle. One whose source has
// no artifact yet is still Fetching; any other failure is Failed. A suspended
// one stays in the state that it was left in.
func KustomizationState(k *kustomizev1.Kustomization) Standing {
	c := readConditions(k.Status.Conditions)
	switch {
	case k.DeletionTimestamp != nil:
		return deleting(domain.KustomizationDeleting, k.DeletionTimestamp, failureMessage(c.ready))
	case c.progressing() && !k.Spec.Suspend:
		return kustomizationStep(c.reconciling)
	}
	switch c.ready.Status {
	case metav1.ConditionTrue:
		return appliedKustomization(k, c.ready)
	case metav1.ConditionFalse:
		return refusedKustomization(c.ready)
	case metav1.ConditionUnknown:
		return told(domain.KustomizationFetching, c.ready)
	}
	return Standing{State: domain.KustomizationIdle, Message: "not reconciled yet", Since: since(k.CreationTimestamp)}
}

// kustomizationStep reads the step of a running reconcile from how Flux
// words its progress.
func kustomizationStep(reconciling metav1.Condition) Standing {
	switch first, _, _ := strings.Cut(reconciling.Message, " "); first {
	case "Building":
		return told(domain.KustomizationBuilding, reconciling)
	case "Detecting", "Applying", "Pruning", "Running":
		return told(domain.KustomizationApplying, reconciling)
	}
	return told(domain.KustomizationFetching, reconciling)
}

func appliedKustomization(k *kustomizev1.Kustomization, ready metav1.Condition) Standing {
	if k.Status.ObservedGeneration != k.Generation && !k.Spec.Suspend {
		s := told(domain.KustomizationIdle, ready)
		s.Message = "its spec has changed and waits to be reconciled"
		return s
	}
	s := told(domain.KustomizationReady, ready)
	s.Ready = true
	s.round = k.Status.LastAppliedRevision
	return s
}

// refusedKustomization tells waiting from failing, and how far a failed
// reconcile had come.
func refusedKustomization(ready metav1.Condition) Standing {
	switch {
	case ready.Reason == meta.DependencyNotReadyReason:
		return told(domain.KustomizationIdle, ready)
	case ready.Reason == meta.ArtifactFailedReason && sourceNotThereYet(ready.Message):
		return told(domain.KustomizationFetching, ready)
	}
	s := told(domain.KustomizationFailed, ready)
	switch ready.Reason {
	case meta.ArtifactFailedReason:
		s.passed = []domain.State{domain.KustomizationFetching}
	case meta.BuildFailedReason:
		s.passed = []domain.State{domain.KustomizationBuilding}
	default:
		s.passed = []domain.State{domain.KustomizationApplying}
	}
	return s
}

// sourceNotThereYet recognises how Flux words a source that has yet to
// produce its first artifact, which it treats as waiting.
func sourceNotThereYet(message string) bool {
	return strings.HasPrefix(message, "Source artifact not found") || strings.HasPrefix(message, "Source is not ready")
}

// failureMessage returns what a condition complains of, if it does.
func failureMessage(c metav1.Condition) string {
	if c.Status == metav1.ConditionFalse {
		return c.Message
	}
	return ""
}
