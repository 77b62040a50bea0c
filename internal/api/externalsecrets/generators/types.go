package generators

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of the types of this package.
var GroupVersion = schema.GroupVersion{Group: "generators.external-secrets.io", Version: "v1alpha1"}

// The kinds of this package.
const (
	PasswordKind         = "Password"
	UUIDKind             = "UUID"
	ClusterGeneratorKind = "ClusterGenerator"
)

// AddToScheme makes the types of this package known to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &Password{}, &PasswordList{}, &UUID{}, &UUIDList{}, &ClusterGenerator{}, &ClusterGeneratorList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}

// PasswordSpec says what a password looks like.
type PasswordSpec struct {
	// Length in characters.
	// +kubebuilder:default=24
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4096
	// +optional
	Length int `json:"length,omitempty"`

	// Digits is how many of them are digits; a quarter where it is not given.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Digits *int `json:"digits,omitempty"`

	// Symbols is how many of them are symbols; a quarter where it is not given.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Symbols *int `json:"symbols,omitempty"`

	// SymbolCharacters are the symbols to choose from.
	// +optional
	SymbolCharacters *string `json:"symbolCharacters,omitempty"`

	// NoUpper leaves upper case letters out.
	// +optional
	NoUpper bool `json:"noUpper,omitempty"`

	// AllowRepeat lets a character come more than once.
	// +optional
	AllowRepeat bool `json:"allowRepeat,omitempty"`

	// SecretKeys are the keys that get a password each; "password" where there
	// are none.
	// +kubebuilder:validation:MaxItems=100
	// +optional
	SecretKeys []string `json:"secretKeys,omitempty"`

	// Encoding of the passwords.
	// +kubebuilder:validation:Enum=base64;base64url;base32;hex;raw
	// +kubebuilder:default=raw
	// +optional
	Encoding string `json:"encoding,omitempty"`
}

// Password makes passwords.
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,categories={external-secrets,external-secrets-generators}
// +kubebuilder:metadata:labels="external-secrets.io/component=controller"
type Password struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec PasswordSpec `json:"spec,omitempty"`
}

// PasswordList is a list of Passwords.
// +kubebuilder:object:root=true
type PasswordList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Password `json:"items"`
}

// UUIDSpec has nothing to say.
type UUIDSpec struct{}

// UUID makes random UUIDs.
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,categories={external-secrets,external-secrets-generators}
// +kubebuilder:metadata:labels="external-secrets.io/component=controller"
type UUID struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec UUIDSpec `json:"spec,omitempty"`
}

// UUIDList is a list of UUIDs.
// +kubebuilder:object:root=true
type UUIDList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []UUID `json:"items"`
}

// ClusterGeneratorSpec is the spec of a generator of any kind.
type ClusterGeneratorSpec struct {
	// Kind is the generator's.
	Kind string `json:"kind"`

	Generator GeneratorSpec `json:"generator"`
}

// GeneratorSpec holds the spec of one kind. Those of kinds that are not known
// here are kept as they came.
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=1
type GeneratorSpec struct {
	// +optional
	PasswordSpec *PasswordSpec `json:"passwordSpec,omitempty"`
	// +optional
	UUIDSpec *UUIDSpec `json:"uuidSpec,omitempty"`
}

// ClusterGenerator is a generator for all namespaces.
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories={external-secrets,external-secrets-generators}
// +kubebuilder:metadata:labels="external-secrets.io/component=controller"
type ClusterGenerator struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ClusterGeneratorSpec `json:"spec,omitempty"`
}

// ClusterGeneratorList is a list of ClusterGenerators.
// +kubebuilder:object:root=true
type ClusterGeneratorList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClusterGenerator `json:"items"`
}
