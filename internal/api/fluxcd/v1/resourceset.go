package v1

import (
	"github.com/fluxcd/pkg/apis/meta"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ResourceSet is a group of objects made from templates, once for each set of
// inputs.
//
// +kubebuilder:storageversion
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=rset,categories=all;fluxcd;fluxcd-appliers
// +kubebuilder:printcolumn:name="Age",type="date",JSONPath=".metadata.creationTimestamp"
// +kubebuilder:printcolumn:name="Ready",type="string",JSONPath=".status.conditions[?(@.type==\"Ready\")].status"
// +kubebuilder:printcolumn:name="Status",type="string",JSONPath=".status.conditions[?(@.type==\"Ready\")].message"
type ResourceSet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ResourceSetSpec   `json:"spec,omitempty"`
	Status ResourceSetStatus `json:"status,omitempty"`
}

// ResourceSetList is a list of ResourceSets.
//
// +kubebuilder:object:root=true
type ResourceSetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ResourceSet `json:"items"`
}

// ResourceSetSpec is what is wanted.
//
// +kubebuilder:validation:XValidation:rule="!has(self.steps) || (!has(self.resources) && !has(self.resourcesTemplate))",message="steps cannot go with resources or resourcesTemplate"
// +kubebuilder:validation:XValidation:rule="has(self.steps) || has(self.resources) || has(self.resourcesTemplate)",message="one of steps, resources and resourcesTemplate must be set"
type ResourceSetSpec struct {
	// +optional
	CommonMetadata *CommonMetadata `json:"commonMetadata,omitempty"`
	// +optional
	InputStrategy *InputStrategy `json:"inputStrategy,omitempty"`
	// +optional
	Inputs []Input `json:"inputs,omitempty"`
	// +optional
	InputsFrom []InputsFrom `json:"inputsFrom,omitempty"`
	// +kubebuilder:validation:items:Type=object
	// +optional
	Resources []*apiextensionsv1.JSON `json:"resources,omitempty"`
	// +optional
	ResourcesTemplate string `json:"resourcesTemplate,omitempty"`
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:XValidation:rule="self.all(s, self.exists_one(t, t.name == s.name))",message="the names of steps must differ"
	// +optional
	Steps []Step `json:"steps,omitempty"`
	// +optional
	DependsOn []Dependency `json:"dependsOn,omitempty"`
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`
	// +optional
	Wait bool `json:"wait,omitempty"`
}

// How inputs of several providers are combined.
const (
	Flatten = "Flatten"
	Permute = "Permute"
)

// InputStrategy says how the inputs of several providers are combined.
//
// +kubebuilder:validation:XValidation:rule="!has(self.includeEmptyProviders) || self.name == 'Permute'",message="includeEmptyProviders goes with Permute only"
type InputStrategy struct {
	// +kubebuilder:validation:Enum=Flatten;Permute
	Name string `json:"name"`
	// +optional
	IncludeEmptyProviders bool `json:"includeEmptyProviders,omitempty"`
}

// Input is a set of inputs: values by name.
type Input map[string]*apiextensionsv1.JSON

// InputsFrom names providers of inputs, in the ResourceSet's namespace.
//
// +kubebuilder:validation:XValidation:rule="has(self.name) || has(self.selector)",message="name or selector must be set"
// +kubebuilder:validation:XValidation:rule="!has(self.name) || !has(self.selector)",message="name and selector cannot both be set"
type InputsFrom struct {
	// +kubebuilder:validation:Enum=fluxcd.controlplane.io/v1
	// +optional
	APIVersion string `json:"apiVersion,omitempty"`
	// +kubebuilder:validation:Enum=ResourceSetInputProvider
	// +optional
	Kind string `json:"kind,omitempty"`
	// +optional
	Name string `json:"name,omitempty"`
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// Step is one of several groups of objects that are applied one after the
// other, each once the one before is ready.
//
// +kubebuilder:validation:XValidation:rule="has(self.resources) || has(self.resourcesTemplate)",message="resources or resourcesTemplate must be set"
type Step struct {
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// +kubebuilder:validation:items:Type=object
	// +optional
	Resources []*apiextensionsv1.JSON `json:"resources,omitempty"`
	// +optional
	ResourcesTemplate string `json:"resourcesTemplate,omitempty"`
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty"`
}

// Dependency is an object that must be there, or be ready, first.
//
// +kubebuilder:validation:XValidation:rule="!has(self.readyExpr) || has(self.ready)",message="readyExpr needs ready"
type Dependency struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// +optional
	Ready bool `json:"ready,omitempty"`
	// ReadyExpr is a CEL expression over the object.
	// +optional
	ReadyExpr string `json:"readyExpr,omitempty"`
}

// ResourceSetStatus is what was found.
type ResourceSetStatus struct {
	meta.ReconcileRequestStatus `json:",inline"`
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// +optional
	Inventory *ResourceInventory `json:"inventory,omitempty"`
	// LastAppliedRevision is the digest of the objects.
	// +optional
	LastAppliedRevision string `json:"lastAppliedRevision,omitempty"`
	// ExternalChecksumRefs lists, as Kind/namespace/name, what checksums were
	// made of and this set did not make itself.
	// +optional
	ExternalChecksumRefs []string `json:"externalChecksumRefs,omitempty"`
	// +optional
	History History `json:"history,omitempty"`
}

// GetConditions returns the status conditions.
func (o *ResourceSet) GetConditions() []metav1.Condition { return o.Status.Conditions }

// SetConditions replaces the status conditions.
func (o *ResourceSet) SetConditions(c []metav1.Condition) { o.Status.Conditions = c }

// RequestStatus is where a request to reconcile is acknowledged.
func (o *ResourceSet) RequestStatus() *meta.ReconcileRequestStatus {
	return &o.Status.ReconcileRequestStatus
}
