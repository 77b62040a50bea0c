package v1

import (
	"github.com/fluxcd/pkg/apis/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ResourceSetInputProvider gets inputs for ResourceSets from somewhere.
//
// +kubebuilder:storageversion
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=rsip,categories=all;fluxcd;fluxcd-sources
// +kubebuilder:printcolumn:name="Age",type="date",JSONPath=".metadata.creationTimestamp"
// +kubebuilder:printcolumn:name="Ready",type="string",JSONPath=".status.conditions[?(@.type==\"Ready\")].status"
// +kubebuilder:printcolumn:name="Status",type="string",JSONPath=".status.conditions[?(@.type==\"Ready\")].message"
type ResourceSetInputProvider struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   InputProviderSpec   `json:"spec,omitempty"`
	Status InputProviderStatus `json:"status,omitempty"`
}

// ResourceSetInputProviderList is a list of ResourceSetInputProviders.
//
// +kubebuilder:object:root=true
type ResourceSetInputProviderList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ResourceSetInputProvider `json:"items"`
}

// The types of providers that are no forge and no registry of a cloud.
const (
	StaticInputs           = "Static"
	OCIArtifactTagInputs   = "OCIArtifactTag"
	ExternalServiceInputs  = "ExternalService"
	ExternalArtifactInputs = "ExternalArtifact"
)

// InputProviderSpec is what is wanted.
//
// +kubebuilder:validation:XValidation:rule="!(self.type in ['Static', 'ExternalArtifact']) || !has(self.url)",message="spec.url must be empty for the types Static and ExternalArtifact"
// +kubebuilder:validation:XValidation:rule="self.type in ['Static', 'ExternalArtifact'] || has(self.url)",message="spec.url must be set for every type but Static and ExternalArtifact"
// +kubebuilder:validation:XValidation:rule="!self.type.startsWith('Git') || self.url.startsWith('http')",message="spec.url must start with 'http://' or 'https://' for a Git provider"
// +kubebuilder:validation:XValidation:rule="!self.type.startsWith('AzureDevOps') || self.url.startsWith('http://') || self.url.startsWith('https://')",message="spec.url must start with 'http://' or 'https://' for an AzureDevOps provider"
// +kubebuilder:validation:XValidation:rule="!self.type.startsWith('AWSCodeCommit') || self.url.startsWith('https://')",message="spec.url must start with 'https://' for an AWSCodeCommit provider"
// +kubebuilder:validation:XValidation:rule="!self.type.endsWith('ArtifactTag') || self.url.startsWith('oci')",message="spec.url must start with 'oci://' for an OCI provider"
// +kubebuilder:validation:XValidation:rule="!self.type.endsWith('ArtifactTag') || !self.url.startsWith('oci://') || self.url.substring(6).contains('/')",message="spec.url must name a repository behind the registry for an OCI provider"
// +kubebuilder:validation:XValidation:rule="self.type != 'ExternalService' || self.url.startsWith('http')",message="spec.url must start with 'http://' or 'https://' for an ExternalService"
// +kubebuilder:validation:XValidation:rule="!has(self.insecure) || !self.insecure || self.type in ['ExternalService', 'OCIArtifactTag']",message="spec.insecure goes with ExternalService and OCIArtifactTag only"
// +kubebuilder:validation:XValidation:rule="self.type != 'ExternalService' || !self.url.startsWith('http://') || (has(self.insecure) && self.insecure)",message="spec.url must start with 'https://' unless spec.insecure is true"
// +kubebuilder:validation:XValidation:rule="!has(self.serviceAccountName) || self.type.startsWith('AzureDevOps') || self.type.startsWith('AWSCodeCommit') || self.type.endsWith('ArtifactTag') || self.type == 'ExternalArtifact'",message="spec.serviceAccountName goes with AzureDevOps*, AWSCodeCommit*, *ArtifactTag and ExternalArtifact only"
// +kubebuilder:validation:XValidation:rule="!has(self.certSecretRef) || !(self.type in ['Static', 'ExternalArtifact', 'ACRArtifactTag', 'ECRArtifactTag', 'GARArtifactTag'] || self.type.startsWith('AzureDevOps') || self.type.startsWith('AWSCodeCommit'))",message="spec.certSecretRef does not go with this spec.type"
// +kubebuilder:validation:XValidation:rule="!has(self.secretRef) || !(self.type in ['Static', 'ExternalArtifact', 'ACRArtifactTag', 'ECRArtifactTag', 'GARArtifactTag'] || self.type.startsWith('AWSCodeCommit'))",message="spec.secretRef does not go with this spec.type"
// +kubebuilder:validation:XValidation:rule="self.type != 'ExternalArtifact' || (has(self.selectors) && size(self.selectors) > 0)",message="spec.selectors must be set for the type ExternalArtifact"
// +kubebuilder:validation:XValidation:rule="self.type == 'ExternalArtifact' || !has(self.selectors)",message="spec.selectors goes with the type ExternalArtifact only"
type InputProviderSpec struct {
	// +kubebuilder:validation:Enum=Static;GitHubBranch;GitHubTag;GitHubPullRequest;GitLabBranch;GitLabTag;GitLabMergeRequest;GitLabEnvironment;AzureDevOpsBranch;AzureDevOpsTag;AzureDevOpsPullRequest;AWSCodeCommitBranch;AWSCodeCommitTag;AWSCodeCommitPullRequest;GiteaBranch;GiteaTag;GiteaPullRequest;OCIArtifactTag;ACRArtifactTag;ECRArtifactTag;GARArtifactTag;ExternalService;ExternalArtifact
	Type string `json:"type"`
	// URL of the repository or service.
	// +kubebuilder:validation:Pattern="^((http|https|oci)://.*){0,1}$"
	// +optional
	URL string `json:"url,omitempty"`
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`
	// SecretRef names a Secret with username and password, with a token, with a
	// GitHub App, or a pull secret, depending on the type.
	// +optional
	SecretRef *meta.LocalObjectReference `json:"secretRef,omitempty"`
	// CertSecretRef names a Secret with ca.crt, or tls.crt and tls.key.
	// +optional
	CertSecretRef *meta.LocalObjectReference `json:"certSecretRef,omitempty"`
	// +optional
	Insecure bool `json:"insecure,omitempty"`
	// DefaultValues stand where a set of inputs has no value of its own.
	// +optional
	DefaultValues Input `json:"defaultValues,omitempty"`
	// +optional
	Filter *InputFilter `json:"filter,omitempty"`
	// +optional
	Skip *InputSkip `json:"skip,omitempty"`
	// +optional
	Schedule []Schedule `json:"schedule,omitempty"`
	// Selectors find ExternalArtifacts.
	// +optional
	Selectors []ArtifactSelector `json:"selectors,omitempty"`
}

// ArtifactSelector finds ExternalArtifacts by name or labels.
//
// +kubebuilder:validation:XValidation:rule="!has(self.name) || (!has(self.matchLabels) && !has(self.matchExpressions))",message="name does not go with matchLabels or matchExpressions"
type ArtifactSelector struct {
	metav1.LabelSelector `json:",inline"`
	// +optional
	Name string `json:"name,omitempty"`
	// Namespace to look in: by default the provider's own, "*" means all.
	// +optional
	Namespace string `json:"namespace,omitempty"`
}

// DefaultInputLimit is how many sets of inputs a provider exports by default.
const DefaultInputLimit = 100

// InputFilter says what of a provider's answer counts.
type InputFilter struct {
	// +optional
	IncludeBranch string `json:"includeBranch,omitempty"`
	// +optional
	ExcludeBranch string `json:"excludeBranch,omitempty"`
	// +optional
	IncludeTag string `json:"includeTag,omitempty"`
	// +optional
	ExcludeTag string `json:"excludeTag,omitempty"`
	// +optional
	IncludeEnvironment string `json:"includeEnvironment,omitempty"`
	// +optional
	ExcludeEnvironment string `json:"excludeEnvironment,omitempty"`
	// +optional
	Labels []string `json:"labels,omitempty"`
	// +kubebuilder:default:=100
	// +kubebuilder:validation:Maximum:=10000
	// +optional
	Limit int `json:"limit,omitempty"`
	// +optional
	Semver string `json:"semver,omitempty"`
}

// InputSkip says which requests keep the inputs they had.
type InputSkip struct {
	// Labels that, where a request has one (with a leading "!": lacks it), make
	// it skipped.
	// +optional
	Labels []string `json:"labels,omitempty"`
}

// Schedule says when a provider may run.
type Schedule struct {
	Cron string `json:"cron"`
	// +kubebuilder:default:="UTC"
	// +optional
	TimeZone string `json:"timeZone,omitempty"`
	// Window is how long after each time of the schedule it may run; 0 means
	// at any time.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"
	// +kubebuilder:default:="0s"
	// +optional
	Window metav1.Duration `json:"window"`
}

// NextSchedule is when a provider runs next, and by which schedule.
type NextSchedule struct {
	Schedule `json:",inline"`
	When     metav1.Time `json:"when"`
}

// InputProviderStatus is what was found.
type InputProviderStatus struct {
	meta.ReconcileRequestStatus `json:",inline"`
	meta.ForceRequestStatus     `json:",inline"`
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// +optional
	ExportedInputs []Input `json:"exportedInputs,omitempty"`
	// LastExportedRevision is the digest of the exported inputs.
	// +optional
	LastExportedRevision string `json:"lastExportedRevision,omitempty"`
	// +optional
	NextSchedule *NextSchedule `json:"nextSchedule,omitempty"`
}

// GetConditions returns the status conditions.
func (o *ResourceSetInputProvider) GetConditions() []metav1.Condition { return o.Status.Conditions }

// SetConditions replaces the status conditions.
func (o *ResourceSetInputProvider) SetConditions(c []metav1.Condition) { o.Status.Conditions = c }

// RequestStatus is where a request to reconcile is acknowledged.
func (o *ResourceSetInputProvider) RequestStatus() *meta.ReconcileRequestStatus {
	return &o.Status.ReconcileRequestStatus
}
