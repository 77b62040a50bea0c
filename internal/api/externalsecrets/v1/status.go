package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Condition tells one aspect of an object's state.
type Condition struct {
	Type   string                 `json:"type"`
	Status corev1.ConditionStatus `json:"status"`

	// +optional
	Reason string `json:"reason,omitempty"`

	// Message never holds a secret's value.
	// +optional
	Message string `json:"message,omitempty"`

	// +optional
	LastTransitionTime metav1.Time `json:"lastTransitionTime,omitempty"`
}

// Condition types and reasons, as External Secrets Operator writes them.
const (
	ConditionReady = "Ready"

	ReasonSecretSynced      = "SecretSynced"
	ReasonSecretSyncedError = "SecretSyncedError"
	ReasonSecretDeleted     = "SecretDeleted"
	ReasonSecretMissing     = "SecretMissing"

	// Of targets of other kinds.
	ReasonResourceSynced      = "ResourceSynced"
	ReasonResourceSyncedError = "ResourceSyncedError"
	ReasonResourceDeleted     = "ResourceDeleted"
	ReasonResourceMissing     = "ResourceMissing"

	ReasonStoreValid            = "Valid"
	ReasonInvalidStore          = "InvalidStoreConfiguration"
	ReasonInvalidProviderConfig = "InvalidProviderConfig"
	ReasonValidationFailed      = "ValidationFailed"
)

// ReasonStoreNotReady is the reason of an ExternalSecret whose Ready condition
// is Unknown because its store is not Ready yet and it never was in sync. It
// is Hearth's own.
const ReasonStoreNotReady = "SecretStoreNotReady"

// ForceSyncAnnotation is the annotation whose change asks for a sync at once,
// by convention: any change of an annotation or a label does.
const ForceSyncAnnotation = "force-sync"

// ExternalSecretStatus tells how far an ExternalSecret is.
type ExternalSecretStatus struct {
	// RefreshTime is when the store was read last, successfully.
	// +nullable
	// +optional
	RefreshTime metav1.Time `json:"refreshTime,omitempty"`

	// SyncedResourceVersion says which version of this object that was for:
	// its generation and a hash of its labels and annotations.
	// +optional
	SyncedResourceVersion string `json:"syncedResourceVersion,omitempty"`

	// +optional
	Conditions []Condition `json:"conditions,omitempty"`

	// Binding names the Secret.
	// +optional
	Binding corev1.LocalObjectReference `json:"binding,omitempty"`
}

// GetCondition returns the condition of a type, or nil.
func GetCondition(conditions []Condition, conditionType string) *Condition {
	for i := range conditions {
		if conditions[i].Type == conditionType {
			return &conditions[i]
		}
	}
	return nil
}

// SetCondition sets the condition of its type, and reports whether anything
// changed. The time of transition moves with the status only.
func SetCondition(conditions *[]Condition, c Condition) bool {
	if c.LastTransitionTime.IsZero() {
		c.LastTransitionTime = metav1.Now()
	}
	old := GetCondition(*conditions, c.Type)
	if old == nil {
		*conditions = append(*conditions, c)
		return true
	}
	if old.Status == c.Status {
		c.LastTransitionTime = old.LastTransitionTime
		if old.Reason == c.Reason && old.Message == c.Message {
			return false
		}
	}
	*old = c
	return true
}

// IsReady reports whether the Ready condition is True.
func IsReady(conditions []Condition) bool {
	c := GetCondition(conditions, ConditionReady)
	return c != nil && c.Status == corev1.ConditionTrue
}
