package v1

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Finalizer keeps an object until what it applied is cleaned up.
const Finalizer = "fluxcd.controlplane.io/finalizer"

// Annotations that steer reconciling, on the objects of this package and on
// those that they apply.
const (
	ReconcileAnnotation         = "fluxcd.controlplane.io/reconcile"
	ReconcileEveryAnnotation    = "fluxcd.controlplane.io/reconcileEvery"
	ReconcileTimeoutAnnotation  = "fluxcd.controlplane.io/reconcileTimeout"
	PruneAnnotation             = "fluxcd.controlplane.io/prune"
	ForceAnnotation             = "fluxcd.controlplane.io/force"
	RecreateOnFailureAnnotation = "fluxcd.controlplane.io/recreateOnFailure"
	RevisionAnnotation          = "fluxcd.controlplane.io/revision"
	CopyFromAnnotation          = "fluxcd.controlplane.io/copyFrom"
	ConvertKubeConfigAnnotation = "fluxcd.controlplane.io/convertKubeConfigFrom"
	ChecksumFromAnnotation      = "fluxcd.controlplane.io/checksumFrom"
	ChecksumAnnotation          = "fluxcd.controlplane.io/checksum"
)

// Values of annotations that switch something.
const (
	Enabled  = "enabled"
	Disabled = "disabled"
)

// IsDisabled reports whether an object asks not to be reconciled.
func IsDisabled(obj metav1.Object) bool {
	return strings.EqualFold(obj.GetAnnotations()[ReconcileAnnotation], Disabled)
}

// IsForced reports whether an object lets what cannot be changed be replaced.
func IsForced(obj metav1.Object) bool {
	return strings.EqualFold(obj.GetAnnotations()[ForceAnnotation], Enabled)
}

// Interval returns how often an object wants to be reconciled, or the default
// where its annotation names no positive duration.
func Interval(obj metav1.Object, otherwise time.Duration) time.Duration {
	return duration(obj, ReconcileEveryAnnotation, otherwise)
}

// Timeout returns how long one reconcile of an object may take, or the default.
func Timeout(obj metav1.Object, otherwise time.Duration) time.Duration {
	return duration(obj, ReconcileTimeoutAnnotation, otherwise)
}

func duration(obj metav1.Object, annotation string, otherwise time.Duration) time.Duration {
	if d, err := time.ParseDuration(obj.GetAnnotations()[annotation]); err == nil && d > 0 {
		return d
	}
	return otherwise
}
