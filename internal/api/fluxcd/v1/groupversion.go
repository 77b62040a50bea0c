package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of the types of this package.
var GroupVersion = schema.GroupVersion{Group: "fluxcd.controlplane.io", Version: "v1"}

// The kinds of this package.
const (
	FluxInstanceKind             = "FluxInstance"
	FluxReportKind               = "FluxReport"
	ResourceSetKind              = "ResourceSet"
	ResourceSetInputProviderKind = "ResourceSetInputProvider"
)

// SchemeBuilder collects what AddToScheme registers.
var SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

// AddToScheme makes the types of this package known to a scheme.
var AddToScheme = SchemeBuilder.AddToScheme

func addKnownTypes(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&FluxInstance{}, &FluxInstanceList{},
		&FluxReport{}, &FluxReportList{},
		&ResourceSet{}, &ResourceSetList{},
		&ResourceSetInputProvider{}, &ResourceSetInputProviderList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
