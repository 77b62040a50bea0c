package v1

import corev1 "k8s.io/api/core/v1"

// CreationPolicy says whose the Secret is.
// +kubebuilder:validation:Enum=Owner;Orphan;Merge;None
type CreationPolicy string

// The creation policies.
const (
	// CreateOwner makes the Secret, and takes it away with the ExternalSecret.
	CreateOwner CreationPolicy = "Owner"
	// CreateOrphan makes the Secret, and leaves it behind.
	CreateOrphan CreationPolicy = "Orphan"
	// CreateMerge only adds keys to a Secret that someone else makes.
	CreateMerge CreationPolicy = "Merge"
	// CreateNone makes no Secret.
	CreateNone CreationPolicy = "None"
)

// DeletionPolicy says what becomes of the Secret when the store no longer has its values.
// +kubebuilder:validation:Enum=Delete;Merge;Retain
type DeletionPolicy string

// The deletion policies.
const (
	// DeletionDelete deletes the Secret once the store has none of its values.
	DeletionDelete DeletionPolicy = "Delete"
	// DeletionMerge takes keys away whose values the store has no longer.
	DeletionMerge DeletionPolicy = "Merge"
	// DeletionRetain keeps the Secret as it was.
	DeletionRetain DeletionPolicy = "Retain"
)

// ExternalSecretTarget says what Secret to make.
type ExternalSecretTarget struct {
	// Name of the Secret; the ExternalSecret's own where empty.
	// +kubebuilder:validation:MinLength:=1
	// +kubebuilder:validation:MaxLength:=253
	// +optional
	Name string `json:"name,omitempty"`

	// +kubebuilder:default="Owner"
	// +optional
	CreationPolicy CreationPolicy `json:"creationPolicy,omitempty"`

	// +kubebuilder:default="Retain"
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// +optional
	Template *ExternalSecretTemplate `json:"template,omitempty"`

	// Manifest asks for an object of another kind than Secret.
	// +optional
	Manifest *ManifestReference `json:"manifest,omitempty"`

	// Immutable makes the Secret one that cannot be changed.
	// +optional
	Immutable bool `json:"immutable,omitempty"`
}

// ManifestReference names a kind.
type ManifestReference struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// TemplateMergePolicy says whether a template's keys replace the fetched ones or join them.
// +kubebuilder:validation:Enum=Replace;Merge
type TemplateMergePolicy string

// The merge policies of templates.
const (
	MergePolicyReplace TemplateMergePolicy = "Replace"
	MergePolicyMerge   TemplateMergePolicy = "Merge"
)

// ExternalSecretTemplate says what the Secret looks like.
type ExternalSecretTemplate struct {
	// +optional
	Type corev1.SecretType `json:"type,omitempty"`

	// EngineVersion v2 is Go templates with sprig's functions.
	// +kubebuilder:validation:Enum=v2
	// +kubebuilder:default="v2"
	// +optional
	EngineVersion string `json:"engineVersion,omitempty"`

	// +optional
	Metadata ExternalSecretTemplateMetadata `json:"metadata,omitempty"`

	// +kubebuilder:default="Replace"
	// +optional
	MergePolicy TemplateMergePolicy `json:"mergePolicy,omitempty"`

	// Data maps keys of the Secret to templates of their values.
	// +optional
	Data map[string]string `json:"data,omitempty"`

	// +optional
	TemplateFrom []TemplateFrom `json:"templateFrom,omitempty"`
}

// ExternalSecretTemplateMetadata is what the Secret's metadata gets; the
// values of labels and annotations are templates too.
type ExternalSecretTemplateMetadata struct {
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// +optional
	Finalizers []string `json:"finalizers,omitempty"`
}

// TemplateFrom takes templates from elsewhere.
type TemplateFrom struct {
	// +optional
	ConfigMap *TemplateRef `json:"configMap,omitempty"`
	// +optional
	Secret *TemplateRef `json:"secret,omitempty"`

	// Target is what the result becomes part of: Data, Annotations, Labels, or
	// a path of the manifest.
	// +kubebuilder:default="Data"
	// +optional
	Target string `json:"target,omitempty"`

	// Literal is one template that yields a YAML mapping.
	// +optional
	Literal *string `json:"literal,omitempty"`
}

// TemplateRef names a ConfigMap or Secret of the same namespace.
type TemplateRef struct {
	// +kubebuilder:validation:MinLength:=1
	// +kubebuilder:validation:MaxLength:=253
	Name  string            `json:"name"`
	Items []TemplateRefItem `json:"items"`
}

// TemplateRefItem names one key of it.
type TemplateRefItem struct {
	// +kubebuilder:validation:MinLength:=1
	// +kubebuilder:validation:MaxLength:=253
	Key string `json:"key"`

	// TemplateAs says whether the template yields the value of that key
	// (Values) or a YAML mapping of keys and values.
	// +kubebuilder:validation:Enum=Values;KeysAndValues
	// +kubebuilder:default="Values"
	// +optional
	TemplateAs string `json:"templateAs,omitempty"`
}

// How templates of templateFrom are taken.
const (
	TemplateAsValues        = "Values"
	TemplateAsKeysAndValues = "KeysAndValues"

	TemplateTargetData        = "Data"
	TemplateTargetAnnotations = "Annotations"
	TemplateTargetLabels      = "Labels"
)
