package v1

import (
	"github.com/fluxcd/pkg/apis/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FluxReport tells what Flux is doing in a cluster.
//
// +kubebuilder:storageversion
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=fluxcd
// +kubebuilder:printcolumn:name="Entitlement",type="string",JSONPath=".spec.distribution.entitlement",priority=10
// +kubebuilder:printcolumn:name="Age",type="date",JSONPath=".metadata.creationTimestamp"
// +kubebuilder:printcolumn:name="Ready",type="string",JSONPath=".status.conditions[?(@.type==\"Ready\")].status"
// +kubebuilder:printcolumn:name="Status",type="string",JSONPath=".status.conditions[?(@.type==\"Ready\")].message"
// +kubebuilder:printcolumn:name="LastUpdated",type="string",JSONPath=".status.conditions[?(@.type==\"Ready\")].lastTransitionTime"
// +kubebuilder:validation:XValidation:rule="self.metadata.name == 'flux'",message="a FluxReport must be named 'flux'"
type FluxReport struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   FluxReportSpec   `json:"spec,omitempty"`
	Status FluxReportStatus `json:"status,omitempty"`
}

// FluxReportList is a list of FluxReports.
//
// +kubebuilder:object:root=true
type FluxReportList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []FluxReport `json:"items"`
}

// FluxReportSpec is what was found.
type FluxReportSpec struct {
	Distribution ReportedDistribution `json:"distribution"`
	// +optional
	Cluster *ReportedCluster `json:"cluster,omitempty"`
	// +optional
	Operator *ReportedOperator `json:"operator,omitempty"`
	// +optional
	Components []ReportedComponent `json:"components,omitempty"`
	// +optional
	Reconcilers []ReportedReconciler `json:"reconcilers,omitempty"`
	// +optional
	Sync *ReportedSync `json:"sync,omitempty"`
}

// ReportedDistribution is which Flux runs.
type ReportedDistribution struct {
	Entitlement string `json:"entitlement"`
	Status      string `json:"status"`
	// +optional
	Version string `json:"version,omitempty"`
	// +optional
	ManagedBy string `json:"managedBy,omitempty"`
}

// ReportedCluster is which Kubernetes runs.
type ReportedCluster struct {
	ServerVersion string `json:"serverVersion"`
	Platform      string `json:"platform"`
	// +optional
	Nodes int `json:"nodes,omitempty"`
}

// ReportedOperator is who wrote the report.
type ReportedOperator struct {
	APIVersion string `json:"apiVersion"`
	Version    string `json:"version"`
	Platform   string `json:"platform"`
}

// ReportedComponent is one controller.
type ReportedComponent struct {
	Name   string `json:"name"`
	Ready  bool   `json:"ready"`
	Status string `json:"status"`
	Image  string `json:"image"`
}

// ReportedReconciler counts the objects of one kind.
type ReportedReconciler struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// +optional
	Stats ReconcilerStats `json:"stats,omitempty"`
}

// ReconcilerStats are numbers of objects, and the size of their artifacts.
type ReconcilerStats struct {
	Running   int `json:"running"`
	Failing   int `json:"failing"`
	Suspended int `json:"suspended"`
	// +optional
	TotalSize string `json:"totalSize,omitempty"`
}

// ReportedSync is how the cluster follows its source.
type ReportedSync struct {
	ID string `json:"id"`
	// +optional
	Path   string `json:"path,omitempty"`
	Ready  bool   `json:"ready"`
	Status string `json:"status"`
	// +optional
	Source string `json:"source,omitempty"`
}

// FluxReportStatus says whether the report could be made.
type FluxReportStatus struct {
	meta.ReconcileRequestStatus `json:",inline"`
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// GetConditions returns the status conditions.
func (o *FluxReport) GetConditions() []metav1.Condition { return o.Status.Conditions }

// SetConditions replaces the status conditions.
func (o *FluxReport) SetConditions(c []metav1.Condition) { o.Status.Conditions = c }
