package v1

import (
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/apis/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FluxInstance says how Flux is to run in a cluster, and what it syncs.
//
// +kubebuilder:storageversion
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=fluxcd;fluxcd-appliers
// +kubebuilder:printcolumn:name="Age",type="date",JSONPath=".metadata.creationTimestamp"
// +kubebuilder:printcolumn:name="Ready",type="string",JSONPath=".status.conditions[?(@.type==\"Ready\")].status"
// +kubebuilder:printcolumn:name="Status",type="string",JSONPath=".status.conditions[?(@.type==\"Ready\")].message"
// +kubebuilder:printcolumn:name="Revision",type="string",JSONPath=".status.lastAttemptedRevision"
// +kubebuilder:validation:XValidation:rule="self.metadata.name == 'flux'",message="a FluxInstance must be named 'flux'"
type FluxInstance struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   FluxInstanceSpec   `json:"spec,omitempty"`
	Status FluxInstanceStatus `json:"status,omitempty"`
}

// FluxInstanceList is a list of FluxInstances.
//
// +kubebuilder:object:root=true
type FluxInstanceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []FluxInstance `json:"items"`
}

// FluxInstanceSpec is what is wanted.
//
// +kubebuilder:validation:XValidation:rule="!has(self.sharding) || !has(self.sharding.storage) || self.sharding.storage != 'persistent' || has(self.storage)",message=".spec.storage must be set where .spec.sharding.storage is 'persistent'"
type FluxInstanceSpec struct {
	Distribution Distribution `json:"distribution"`
	// Components are the controllers; by default source, kustomize, helm and
	// notification.
	// +optional
	Components []Component `json:"components,omitempty"`
	// +optional
	CommonMetadata *CommonMetadata `json:"commonMetadata,omitempty"`
	// +optional
	Cluster *Cluster `json:"cluster,omitempty"`
	// +optional
	Sharding *Sharding `json:"sharding,omitempty"`
	// +optional
	Storage *Storage `json:"storage,omitempty"`
	// +optional
	Kustomize *Kustomize `json:"kustomize,omitempty"`
	// +kubebuilder:default:=true
	// +optional
	Wait *bool `json:"wait,omitempty"`
	// +kubebuilder:default:=true
	// +optional
	MigrateResources *bool `json:"migrateResources,omitempty"`
	// +optional
	Sync *Sync `json:"sync,omitempty"`
}

// Distribution is which Flux is wanted.
type Distribution struct {
	Version  string `json:"version"`
	Registry string `json:"registry"`
	// +kubebuilder:validation:Enum=upstream-alpine;enterprise-alpine;enterprise-distroless;enterprise-distroless-fips
	// +optional
	Variant string `json:"variant,omitempty"`
	// +optional
	ImagePullSecret string `json:"imagePullSecret,omitempty"`
	// +kubebuilder:validation:Pattern="^oci://.*$"
	// +optional
	Artifact string `json:"artifact,omitempty"`
	// +optional
	ArtifactPullSecret string `json:"artifactPullSecret,omitempty"`
}

// Component is the name of a controller.
//
// +kubebuilder:validation:Enum:=source-controller;kustomize-controller;helm-controller;notification-controller;image-reflector-controller;image-automation-controller;source-watcher
type Component string

// ComponentImage is the image of a controller.
type ComponentImage struct {
	Name       string `json:"name"`
	Repository string `json:"repository"`
	Tag        string `json:"tag"`
	// +optional
	Digest string `json:"digest,omitempty"`
}

// Cluster describes the cluster that Flux runs in.
//
// +kubebuilder:validation:XValidation:rule="(has(self.objectLevelWorkloadIdentity) && self.objectLevelWorkloadIdentity) || !has(self.multitenantWorkloadIdentity) || !self.multitenantWorkloadIdentity",message=".objectLevelWorkloadIdentity must be true where .multitenantWorkloadIdentity is"
type Cluster struct {
	// +kubebuilder:default:=cluster.local
	// +optional
	Domain string `json:"domain,omitempty"`
	// +kubebuilder:default:=false
	// +optional
	Multitenant bool `json:"multitenant,omitempty"`
	// +kubebuilder:default:=false
	// +optional
	MultitenantWorkloadIdentity bool `json:"multitenantWorkloadIdentity,omitempty"`
	// +optional
	TenantDefaultServiceAccount string `json:"tenantDefaultServiceAccount,omitempty"`
	// +optional
	TenantDefaultDecryptionServiceAccount string `json:"tenantDefaultDecryptionServiceAccount,omitempty"`
	// +optional
	TenantDefaultKubeConfigServiceAccount string `json:"tenantDefaultKubeConfigServiceAccount,omitempty"`
	// +optional
	ObjectLevelWorkloadIdentity bool `json:"objectLevelWorkloadIdentity,omitempty"`
	// +kubebuilder:default:=true
	// +optional
	NetworkPolicy bool `json:"networkPolicy"`
	// +kubebuilder:validation:Enum:=kubernetes;openshift;aws;azure;gcp
	// +kubebuilder:default:=kubernetes
	// +optional
	Type string `json:"type,omitempty"`
	// +kubebuilder:validation:Enum:=small;medium;large
	// +optional
	Size string `json:"size,omitempty"`
}

// Sharding spreads objects over several controllers of a kind.
type Sharding struct {
	// +kubebuilder:default:=sharding.fluxcd.io/key
	// +optional
	Key string `json:"key,omitempty"`
	// +kubebuilder:validation:MinItems=1
	Shards []string `json:"shards"`
	// +kubebuilder:validation:Enum:=ephemeral;persistent
	// +optional
	Storage string `json:"storage,omitempty"`
}

// Storage is the volume for artifacts.
type Storage struct {
	Class string `json:"class"`
	Size  string `json:"size"`
}

// Kustomize changes what is installed.
type Kustomize struct {
	// +optional
	Patches []kustomize.Patch `json:"patches,omitempty"`
}

// Sync is the source that the cluster follows.
//
// +kubebuilder:validation:XValidation:rule="!has(self.provider) || self.provider != 'gcp' || self.kind == 'OCIRepository' || self.kind == 'Bucket'",message="sync.provider 'gcp' goes with OCIRepository and Bucket only"
// +kubebuilder:validation:XValidation:rule="!has(self.provider) || self.provider != 'github' || self.kind == 'GitRepository'",message="sync.provider 'github' goes with GitRepository only"
type Sync struct {
	// Name of the source and the Kustomization; by default the namespace's.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="the name of a sync cannot change"
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Name string `json:"name,omitempty"`
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"
	// +kubebuilder:default:="1m"
	// +optional
	Interval *metav1.Duration `json:"interval,omitempty"`
	// +kubebuilder:validation:Enum=OCIRepository;GitRepository;Bucket
	Kind string `json:"kind"`
	URL  string `json:"url"`
	// Ref is a Git reference, an OCI tag, or the name of a bucket.
	Ref  string `json:"ref"`
	Path string `json:"path"`
	// +optional
	PullSecret string `json:"pullSecret,omitempty"`
	// +kubebuilder:validation:Enum=generic;aws;azure;gcp;github
	// +optional
	Provider string `json:"provider,omitempty"`
}

// FluxInstanceStatus is what was found.
type FluxInstanceStatus struct {
	meta.ReconcileRequestStatus `json:",inline"`
	meta.ForceRequestStatus     `json:",inline"`
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// LastAttemptedRevision is VERSION@DIGEST.
	// +optional
	LastAttemptedRevision string `json:"lastAttemptedRevision,omitempty"`
	// +optional
	LastAppliedRevision string `json:"lastAppliedRevision,omitempty"`
	// +optional
	LastArtifactRevision string `json:"lastArtifactRevision,omitempty"`
	// +optional
	Components []ComponentImage `json:"components,omitempty"`
	// +optional
	Inventory *ResourceInventory `json:"inventory,omitempty"`
	// +optional
	History History `json:"history,omitempty"`
}

// GetConditions returns the status conditions.
func (o *FluxInstance) GetConditions() []metav1.Condition { return o.Status.Conditions }

// SetConditions replaces the status conditions.
func (o *FluxInstance) SetConditions(c []metav1.Condition) { o.Status.Conditions = c }

// RequestStatus is where a request to reconcile is acknowledged.
func (o *FluxInstance) RequestStatus() *meta.ReconcileRequestStatus {
	return &o.Status.ReconcileRequestStatus
}
