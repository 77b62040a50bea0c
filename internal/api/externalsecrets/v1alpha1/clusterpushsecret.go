package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// ClusterPushSecretKind is the kind of ClusterPushSecret.
const ClusterPushSecretKind = "ClusterPushSecret"

// ClusterPushSecretSpec says in which namespaces to make a PushSecret.
type ClusterPushSecretSpec struct {
	PushSecretSpec PushSecretSpec `json:"pushSecretSpec"`

	// PushSecretName defaults to this object's name.
	// +kubebuilder:validation:MinLength:=1
	// +kubebuilder:validation:MaxLength:=253
	// +kubebuilder:validation:Pattern:=^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
	// +optional
	PushSecretName string `json:"pushSecretName,omitempty"`

	// +optional
	PushSecretMetadata PushSecretMetadata `json:"pushSecretMetadata,omitempty"`

	// NamespaceSelectors select namespaces: those that any of them matches.
	// +optional
	NamespaceSelectors []*metav1.LabelSelector `json:"namespaceSelectors,omitempty"`

	// RefreshInterval is how often the namespaces are looked at again.
	// +optional
	RefreshInterval *metav1.Duration `json:"refreshTime,omitempty"`
}

// PushSecretMetadata is what the PushSecrets get.
type PushSecretMetadata struct {
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
}

// ClusterPushSecretStatus tells where the PushSecrets were made.
type ClusterPushSecretStatus struct {
	// +optional
	PushSecretName string `json:"pushSecretName,omitempty"`
	// +optional
	FailedNamespaces []v1.NamespaceFailure `json:"failedNamespaces,omitempty"`
	// +optional
	ProvisionedNamespaces []string `json:"provisionedNamespaces,omitempty"`
	// +optional
	Conditions []v1.Condition `json:"conditions,omitempty"`
}

// ClusterPushSecret makes the same PushSecret in many namespaces.
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories={external-secrets}
// +kubebuilder:metadata:labels="external-secrets.io/component=controller"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
type ClusterPushSecret struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ClusterPushSecretSpec   `json:"spec,omitempty"`
	Status ClusterPushSecretStatus `json:"status,omitempty"`
}

// ClusterPushSecretList is a list of ClusterPushSecrets.
// +kubebuilder:object:root=true
type ClusterPushSecretList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClusterPushSecret `json:"items"`
}
