package v1

// Rewrite is one step of renaming keys. One of its fields is set.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=1
type Rewrite struct {
	// Merge joins values that are JSON mappings.
	// +optional
	Merge *RewriteMerge `json:"merge,omitempty"`

	// Regexp replaces what matches in each key.
	// +optional
	Regexp *RewriteRegexp `json:"regexp,omitempty"`

	// Transform gives each key a new name by a template over .value.
	// +optional
	Transform *RewriteTransform `json:"transform,omitempty"`
}

// RewriteRegexp replaces every match of Source by Target.
type RewriteRegexp struct {
	// Source is a regular expression in RE2 syntax.
	Source string `json:"source"`
	// Target may refer to groups of Source: $1, ${name}.
	Target string `json:"target"`
}

// RewriteTransform renames by a template.
type RewriteTransform struct {
	Template string `json:"template"`
}

// RewriteMerge joins values.
type RewriteMerge struct {
	// Into is the key of the result; with strategy JSON it must be set.
	// +kubebuilder:default=""
	// +optional
	Into string `json:"into,omitempty"`

	// Priority lists keys whose values win, the last one most.
	// +optional
	Priority []string `json:"priority,omitempty"`

	// PriorityPolicy says whether a key of Priority must exist.
	// +kubebuilder:validation:Enum=Strict;IgnoreNotFound
	// +kubebuilder:default="Strict"
	// +optional
	PriorityPolicy string `json:"priorityPolicy,omitempty"`

	// ConflictPolicy says what happens when two values have the same key.
	// +kubebuilder:validation:Enum=Ignore;Error
	// +kubebuilder:default="Error"
	// +optional
	ConflictPolicy string `json:"conflictPolicy,omitempty"`

	// Strategy Extract makes the mappings' keys the keys of the Secret; JSON
	// puts the joined mapping into one key.
	// +kubebuilder:validation:Enum=Extract;JSON
	// +kubebuilder:default="Extract"
	// +optional
	Strategy string `json:"strategy,omitempty"`
}
