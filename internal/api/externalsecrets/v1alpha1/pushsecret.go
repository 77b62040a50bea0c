package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// GroupVersion is the API group and version of the types of this package.
var GroupVersion = schema.GroupVersion{Group: "external-secrets.io", Version: "v1alpha1"}

// PushSecretKind is the kind of PushSecret.
const PushSecretKind = "PushSecret"

// SchemeBuilder collects what AddToScheme registers.
var SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

// AddToScheme makes the types of this package known to a scheme.
var AddToScheme = SchemeBuilder.AddToScheme

func addKnownTypes(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &PushSecret{}, &PushSecretList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}

// PushSecretSpec says which Secret's values go to which stores.
// +kubebuilder:pruning:PreserveUnknownFields
type PushSecretSpec struct {
	// +optional
	RefreshInterval *metav1.Duration `json:"refreshInterval,omitempty"`
	// +optional
	SecretStoreRefs []PushSecretStoreRef `json:"secretStoreRefs,omitempty"`
	// +optional
	Selector PushSecretSelector `json:"selector,omitempty"`
}

// PushSecretStoreRef names a store, or selects stores by their labels.
// +kubebuilder:pruning:PreserveUnknownFields
type PushSecretStoreRef struct {
	// +optional
	Name string `json:"name,omitempty"`
	// +optional
	Kind string `json:"kind,omitempty"`
}

// PushSecretSelector names the Secret.
// +kubebuilder:pruning:PreserveUnknownFields
type PushSecretSelector struct {
	// +optional
	Secret *PushSecretSecret `json:"secret,omitempty"`
}

// PushSecretSecret names a Secret of the same namespace.
// +kubebuilder:pruning:PreserveUnknownFields
type PushSecretSecret struct {
	// +optional
	Name string `json:"name,omitempty"`
}

// PushSecretStatus tells whether the values were written.
// +kubebuilder:pruning:PreserveUnknownFields
type PushSecretStatus struct {
	// +nullable
	// +optional
	RefreshTime metav1.Time `json:"refreshTime,omitempty"`
	// +optional
	SyncedResourceVersion string `json:"syncedResourceVersion,omitempty"`
	// +optional
	Conditions []v1.Condition `json:"conditions,omitempty"`
}

// PushSecret writes values of a Secret to stores.
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,categories={external-secrets},shortName=ps
// +kubebuilder:metadata:labels="external-secrets.io/component=controller"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
type PushSecret struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   PushSecretSpec   `json:"spec,omitempty"`
	Status PushSecretStatus `json:"status,omitempty"`
}

// PushSecretList is a list of PushSecrets.
// +kubebuilder:object:root=true
type PushSecretList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PushSecret `json:"items"`
}
