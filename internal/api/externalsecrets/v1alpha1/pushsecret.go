package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// GroupVersion is the API group and version of the types of this package.
var GroupVersion = schema.GroupVersion{Group: "external-secrets.io", Version: "v1alpha1"}

// PushSecretKind is the kind of PushSecret.
const PushSecretKind = "PushSecret"

// Reasons of the Ready condition of a PushSecret.
const (
	ReasonSynced  = "Synced"
	ReasonErrored = "Errored"
)

// SchemeBuilder collects what AddToScheme registers.
var SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

// AddToScheme makes the types of this package known to a scheme.
var AddToScheme = SchemeBuilder.AddToScheme

func addKnownTypes(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &PushSecret{}, &PushSecretList{}, &ClusterPushSecret{}, &ClusterPushSecretList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}

// UpdatePolicy says what becomes of values that a store has already.
// +kubebuilder:validation:Enum=Replace;IfNotExists
type UpdatePolicy string

// The update policies.
const (
	UpdateReplace     UpdatePolicy = "Replace"
	UpdateIfNotExists UpdatePolicy = "IfNotExists"
)

// DeletionPolicy says what becomes of pushed values when they are no longer
// asked for.
// +kubebuilder:validation:Enum=Delete;None
type DeletionPolicy string

// The deletion policies.
const (
	DeletionDelete DeletionPolicy = "Delete"
	DeletionNone   DeletionPolicy = "None"
)

// ConversionStrategy says how keys become names in the store.
// +kubebuilder:validation:Enum=None;ReverseUnicode
type ConversionStrategy string

// The conversion strategies.
const (
	ConversionNone           ConversionStrategy = "None"
	ConversionReverseUnicode ConversionStrategy = "ReverseUnicode"
)

// PushSecretSpec says which Secret's values go to which stores.
type PushSecretSpec struct {
	// RefreshInterval is how often they are pushed again; 0 means only when
	// something changed.
	// +kubebuilder:default="1h0m0s"
	// +optional
	RefreshInterval *metav1.Duration `json:"refreshInterval,omitempty"`

	SecretStoreRefs []PushSecretStoreRef `json:"secretStoreRefs"`

	// +kubebuilder:default="Replace"
	// +optional
	UpdatePolicy UpdatePolicy `json:"updatePolicy,omitempty"`

	// +kubebuilder:default="None"
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	Selector PushSecretSelector `json:"selector"`

	// Data maps single keys to places in the stores.
	// +optional
	Data []PushSecretData `json:"data,omitempty"`

	// DataTo pushes all keys, or those that match.
	// +optional
	DataTo []PushSecretDataTo `json:"dataTo,omitempty"`

	// Template makes the values that are pushed of those of the Secret.
	// +optional
	Template *v1.ExternalSecretTemplate `json:"template,omitempty"`
}

// PushSecretStoreRef names a store, or selects stores by their labels.
type PushSecretStoreRef struct {
	// +kubebuilder:validation:MinLength:=1
	// +kubebuilder:validation:MaxLength:=253
	// +optional
	Name string `json:"name,omitempty"`

	// +optional
	LabelSelector *metav1.LabelSelector `json:"labelSelector,omitempty"`

	// +kubebuilder:default="SecretStore"
	// +kubebuilder:validation:Enum=SecretStore;ClusterSecretStore
	// +optional
	Kind string `json:"kind,omitempty"`
}

// PushSecretSelector says where the values come from.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=1
type PushSecretSelector struct {
	// +optional
	Secret *PushSecretSecret `json:"secret,omitempty"`

	// GeneratorRef names an object that makes the values up.
	// +optional
	GeneratorRef *v1.GeneratorRef `json:"generatorRef,omitempty"`
}

// PushSecretSecret names a Secret of the same namespace, or selects Secrets by
// their labels.
type PushSecretSecret struct {
	// +kubebuilder:validation:MinLength:=1
	// +kubebuilder:validation:MaxLength:=253
	// +optional
	Name string `json:"name,omitempty"`

	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// PushSecretData maps one key of the Secret to a place in the stores.
type PushSecretData struct {
	Match PushSecretMatch `json:"match"`

	// Metadata is for the provider.
	// +optional
	Metadata *apiextensionsv1.JSON `json:"metadata,omitempty"`

	// +kubebuilder:default="None"
	// +optional
	ConversionStrategy ConversionStrategy `json:"conversionStrategy,omitempty"`
}

// PushSecretMatch pairs a key with a place.
type PushSecretMatch struct {
	// SecretKey is the key; empty means the whole Secret.
	// +optional
	SecretKey string `json:"secretKey,omitempty"`

	RemoteRef PushSecretRemoteRef `json:"remoteRef"`
}

// PushSecretRemoteRef names a place in a store.
type PushSecretRemoteRef struct {
	// RemoteKey is the item.
	RemoteKey string `json:"remoteKey"`

	// Property is the field of the item.
	// +optional
	Property string `json:"property,omitempty"`
}

// PushSecretDataTo pushes many keys to one store, or to some.
// +kubebuilder:validation:XValidation:rule="has(self.storeRef) && (has(self.storeRef.name) || has(self.storeRef.labelSelector))",message="storeRef must specify either name or labelSelector"
type PushSecretDataTo struct {
	// +optional
	StoreRef *PushSecretStoreRef `json:"storeRef,omitempty"`

	// +optional
	Match *PushSecretDataToMatch `json:"match,omitempty"`

	// Rewrite makes the names in the store of the keys, step by step.
	// +optional
	Rewrite []PushSecretRewrite `json:"rewrite,omitempty"`

	// Metadata is for the provider.
	// +optional
	Metadata *apiextensionsv1.JSON `json:"metadata,omitempty"`

	// +kubebuilder:default="None"
	// +optional
	ConversionStrategy ConversionStrategy `json:"conversionStrategy,omitempty"`
}

// PushSecretDataToMatch selects keys.
type PushSecretDataToMatch struct {
	// RegExp in RE2 syntax; all keys match where it is empty.
	// +optional
	RegExp string `json:"regexp,omitempty"`
}

// PushSecretRewrite is one step of renaming. One of its fields is set.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=1
type PushSecretRewrite struct {
	// +optional
	Regexp *v1.RewriteRegexp `json:"regexp,omitempty"`
	// +optional
	Transform *v1.RewriteTransform `json:"transform,omitempty"`
}

// PushSecretStatus tells whether the values were written, and where.
type PushSecretStatus struct {
	// +nullable
	// +optional
	RefreshTime metav1.Time `json:"refreshTime,omitempty"`

	// SyncedResourceVersion says which version of this object that was for.
	// +optional
	SyncedResourceVersion string `json:"syncedResourceVersion,omitempty"`

	// SyncedPushSecrets is what was written: by the store, as Kind/name, and
	// the place in it.
	// +optional
	SyncedPushSecrets map[string]map[string]PushSecretData `json:"syncedPushSecrets,omitempty"`

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
// +kubebuilder:printcolumn:name="Last Sync",type=date,JSONPath=`.status.refreshTime`
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
