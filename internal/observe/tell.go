package observe

import (
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/kube/gitops"
	"hearth/internal/kube/health"
)

// The states of sources, and of all other kinds by which a cluster follows Git
// and for which the domain draws no machine: stores, receivers and the like.
const (
	ObjectPending     = domain.SourcePending
	ObjectReconciling = domain.SourceReconciling
	ObjectReady       = domain.SourceReady
	ObjectFailed      = domain.SourceFailed
	ObjectDeleting    = domain.SourceDeleting
)

// Tell derives the state of an object of any kind from the object alone: by
// the domain's machine where there is one, by the conditions that Flux and
// External Secrets set where they reconcile it, and else in kstatus's words
// (Current, InProgress, Failed, Terminating).
func Tell(obj *unstructured.Unstructured) Standing {
	switch obj.GroupVersionKind().GroupKind() {
	case kustomizationKind.GroupKind():
		if k, ok := typed[kustomizev1.Kustomization](obj); ok {
			return KustomizationState(k)
		}
	case helmReleaseKind.GroupKind():
		if h, ok := typed[helmv2.HelmRelease](obj); ok {
			return HelmReleaseState(h)
		}
	case externalSecretKind.GroupKind():
		if e, ok := typed[esv1.ExternalSecret](obj); ok {
			return ExternalSecretState(e, Store{})
		}
	case podKind.GroupKind():
		if p, ok := typed[corev1.Pod](obj); ok {
			return PodState(p, PodEvidence{})
		}
	case httpRouteKind.GroupKind():
		if h, ok := typed[gatewayv1.HTTPRoute](obj); ok {
			return HTTPRouteState(h)
		}
	}
	if s, ok := furtherState(obj.GroupVersionKind().GroupKind(), obj); ok {
		return s
	}
	if kind, ok := gitops.Known(obj.GroupVersionKind().GroupKind()); ok {
		return followerState(obj, kind)
	}
	return currency(obj)
}

// Failed reports whether a state of a kind is one that its reconciler gave up
// in, or that it will only leave by trying again.
func Failed(kind string, s domain.State) bool {
	if m := machine(kind); m != nil {
		info, _ := m.Info(s)
		return info.Failed
	}
	return s == ObjectFailed
}

// followerState reads the conditions that all kinds share by which a cluster
// follows Git.
func followerState(obj *unstructured.Unstructured, kind gitops.Kind) Standing {
	var o struct {
		Status struct {
			ObservedGeneration int64              `json:"observedGeneration"`
			Conditions         []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	created := obj.GetCreationTimestamp()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &o); err != nil {
		return Standing{State: ObjectPending, Message: "its status cannot be read", Since: since(created)}
	}
	c := readConditions(o.Status.Conditions)
	if at := obj.GetDeletionTimestamp(); at != nil {
		return deleting(ObjectDeleting, at, failureMessage(c.ready))
	}
	unchanged := o.Status.ObservedGeneration == obj.GetGeneration() || o.Status.ObservedGeneration == 0
	switch {
	case c.stalled.Status == metav1.ConditionTrue:
		return told(ObjectFailed, c.stalled)
	case c.progressing():
		return told(ObjectReconciling, c.reconciling)
	case c.ready.Status == metav1.ConditionTrue && !unchanged:
		s := told(ObjectReconciling, c.ready)
		s.Message = "its spec has changed and waits to be reconciled"
		return s
	case c.ready.Status == metav1.ConditionTrue:
		s := told(ObjectReady, c.ready)
		s.Ready = true
		return s
	case c.ready.Status == metav1.ConditionFalse && c.ready.Reason == meta.DependencyNotReadyReason:
		return told(ObjectPending, c.ready)
	case c.ready.Status == metav1.ConditionFalse:
		return told(ObjectFailed, c.ready)
	case c.ready.Status == metav1.ConditionUnknown:
		return told(ObjectReconciling, c.ready)
	}
	if (gitops.Object{Unstructured: obj, Kind: kind}).Static() {
		return Standing{State: ObjectReady, Ready: true, Message: "read by others, reconciled by nothing", Since: since(created)}
	}
	return Standing{State: ObjectPending, Message: "not reconciled yet", Since: since(created)}
}

// currency says whether an object is as its spec asks, as kstatus has it.
func currency(obj *unstructured.Unstructured) Standing {
	r, err := health.Evaluate(obj, nil)
	if err != nil {
		r = health.Result{Status: status.UnknownStatus, Message: err.Error()}
	}
	return Standing{
		State: domain.State(r.Status), Message: oneLine(r.Message),
		Ready: r.Status == status.CurrentStatus, Since: since(obj.GetCreationTimestamp()),
	}
}
