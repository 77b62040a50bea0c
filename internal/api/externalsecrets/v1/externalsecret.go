package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RefreshPolicy says when an ExternalSecret reads its store again.
// +kubebuilder:validation:Enum=CreatedOnce;Periodic;OnChange
type RefreshPolicy string

// The refresh policies.
const (
	RefreshCreatedOnce RefreshPolicy = "CreatedOnce"
	RefreshPeriodic    RefreshPolicy = "Periodic"
	RefreshOnChange    RefreshPolicy = "OnChange"
)

// SecretStoreRef names the store to read from.
type SecretStoreRef struct {
	// Name of the SecretStore or ClusterSecretStore.
	// +kubebuilder:validation:MinLength:=1
	// +kubebuilder:validation:MaxLength:=253
	// +optional
	Name string `json:"name,omitempty"`

	// Kind is SecretStore, the default, or ClusterSecretStore.
	// +kubebuilder:validation:Enum=SecretStore;ClusterSecretStore
	// +optional
	Kind string `json:"kind,omitempty"`
}

// ExternalSecretSpec says what to read, how often, and what to make of it.
type ExternalSecretSpec struct {
	// +optional
	SecretStoreRef SecretStoreRef `json:"secretStoreRef,omitempty"`

	// +kubebuilder:default={creationPolicy:Owner,deletionPolicy:Retain}
	// +optional
	Target ExternalSecretTarget `json:"target,omitempty"`

	// RefreshPolicy defaults to Periodic.
	// +optional
	RefreshPolicy RefreshPolicy `json:"refreshPolicy,omitempty"`

	// RefreshInterval is how often the store is read again; 0 means never
	// again while nothing of this object changes.
	// +kubebuilder:default="1h"
	// +optional
	RefreshInterval *metav1.Duration `json:"refreshInterval,omitempty"`

	// Data maps single values of the store to keys of the Secret.
	// +optional
	Data []ExternalSecretData `json:"data,omitempty"`

	// DataFrom takes over all fields of an item, or of all items found.
	// +optional
	DataFrom []ExternalSecretDataFrom `json:"dataFrom,omitempty"`
}

// ExternalSecretData maps one value of the store to one key.
type ExternalSecretData struct {
	// SecretKey is the key of the Secret.
	// +kubebuilder:validation:MinLength:=1
	// +kubebuilder:validation:MaxLength:=253
	// +kubebuilder:validation:Pattern:=^[-._a-zA-Z0-9]+$
	SecretKey string `json:"secretKey"`

	RemoteRef RemoteRef `json:"remoteRef"`

	// SourceRef overrides the store for this value.
	// +optional
	SourceRef *SourceRef `json:"sourceRef,omitempty"`
}

// RemoteRef names a value, or a set of values, of the store.
type RemoteRef struct {
	// Key is the item.
	Key string `json:"key"`

	// Property is the field of the item.
	// +optional
	Property string `json:"property,omitempty"`

	// Version of the item, for stores that keep more than one.
	// +optional
	Version string `json:"version,omitempty"`

	// MetadataPolicy Fetch reads the item's tags instead of its fields.
	// +kubebuilder:validation:Enum=None;Fetch
	// +kubebuilder:default="None"
	// +optional
	MetadataPolicy MetadataPolicy `json:"metadataPolicy,omitempty"`

	// ConversionStrategy says what becomes of characters that a key must not have.
	// +kubebuilder:validation:Enum=Default;Unicode
	// +kubebuilder:default="Default"
	// +optional
	ConversionStrategy ConversionStrategy `json:"conversionStrategy,omitempty"`

	// DecodingStrategy says how the store encodes the value.
	// +kubebuilder:validation:Enum=Auto;Base64;Base64URL;None
	// +kubebuilder:default="None"
	// +optional
	DecodingStrategy DecodingStrategy `json:"decodingStrategy,omitempty"`
}

// MetadataPolicy says whether metadata is read instead of values.
type MetadataPolicy string

// The metadata policies.
const (
	MetadataNone  MetadataPolicy = "None"
	MetadataFetch MetadataPolicy = "Fetch"
)

// ConversionStrategy says how names become keys.
type ConversionStrategy string

// The conversion strategies.
const (
	ConversionDefault ConversionStrategy = "Default"
	ConversionUnicode ConversionStrategy = "Unicode"
)

// DecodingStrategy says how values are decoded.
type DecodingStrategy string

// The decoding strategies.
const (
	DecodeAuto      DecodingStrategy = "Auto"
	DecodeBase64    DecodingStrategy = "Base64"
	DecodeBase64URL DecodingStrategy = "Base64URL"
	DecodeNone      DecodingStrategy = "None"
)

// ExternalSecretDataFrom takes over many values. One of Extract, Find and
// SourceRef.GeneratorRef is set.
type ExternalSecretDataFrom struct {
	// Extract takes all fields of one item.
	// +optional
	Extract *RemoteRef `json:"extract,omitempty"`

	// Find takes the values of all items that match.
	// +optional
	Find *Find `json:"find,omitempty"`

	// Rewrite renames the keys, step by step.
	// +optional
	Rewrite []Rewrite `json:"rewrite,omitempty"`

	// SourceRef overrides the store, or names a generator.
	// +optional
	SourceRef *SourceRef `json:"sourceRef,omitempty"`
}

// Find says which items match.
type Find struct {
	// Path is where to look.
	// +optional
	Path *string `json:"path,omitempty"`

	// +optional
	Name *FindName `json:"name,omitempty"`

	// Tags that an item must have.
	// +optional
	Tags map[string]string `json:"tags,omitempty"`

	// +kubebuilder:validation:Enum=Default;Unicode
	// +kubebuilder:default="Default"
	// +optional
	ConversionStrategy ConversionStrategy `json:"conversionStrategy,omitempty"`

	// +kubebuilder:validation:Enum=Auto;Base64;Base64URL;None
	// +kubebuilder:default="None"
	// +optional
	DecodingStrategy DecodingStrategy `json:"decodingStrategy,omitempty"`
}

// FindName matches names.
type FindName struct {
	// RegExp in RE2 syntax.
	// +optional
	RegExp string `json:"regexp,omitempty"`
}

// SourceRef overrides where values come from: another store, or a generator.
// +kubebuilder:validation:MaxProperties=1
type SourceRef struct {
	// +optional
	SecretStoreRef *SecretStoreRef `json:"storeRef,omitempty"`

	// +optional
	GeneratorRef *GeneratorRef `json:"generatorRef,omitempty"`
}

// GeneratorRef names an object that makes values up, such as a Password.
type GeneratorRef struct {
	// +kubebuilder:default="generators.external-secrets.io/v1alpha1"
	// +optional
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind"`
	// +kubebuilder:validation:MinLength:=1
	// +kubebuilder:validation:MaxLength:=253
	Name string `json:"name"`
}

// ExternalSecret asks for a Secret made of what a store holds.
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,categories={external-secrets},shortName=es
// +kubebuilder:metadata:labels="external-secrets.io/component=controller"
// +kubebuilder:selectablefield:JSONPath=`.spec.secretStoreRef.name`
// +kubebuilder:selectablefield:JSONPath=`.spec.secretStoreRef.kind`
// +kubebuilder:selectablefield:JSONPath=`.spec.target.name`
// +kubebuilder:selectablefield:JSONPath=`.spec.refreshInterval`
// +kubebuilder:printcolumn:name="StoreType",type=string,JSONPath=`.spec.secretStoreRef.kind`
// +kubebuilder:printcolumn:name="Store",type=string,JSONPath=`.spec.secretStoreRef.name`
// +kubebuilder:printcolumn:name="Refresh Interval",type=string,JSONPath=`.spec.refreshInterval`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Last Sync",type=date,JSONPath=`.status.refreshTime`
type ExternalSecret struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ExternalSecretSpec   `json:"spec,omitempty"`
	Status ExternalSecretStatus `json:"status,omitempty"`
}

// ExternalSecretList is a list of ExternalSecrets.
// +kubebuilder:object:root=true
type ExternalSecretList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ExternalSecret `json:"items"`
}

// TargetName returns the name of the Secret that is asked for.
func (e *ExternalSecret) TargetName() string {
	if e.Spec.Target.Name != "" {
		return e.Spec.Target.Name
	}
	return e.Name
}
