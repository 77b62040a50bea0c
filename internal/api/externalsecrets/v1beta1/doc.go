// Package v1beta1 is the older version of the API group external-secrets.io.
// Its schema is that of v1; the API server converts by changing the version
// alone, so that objects written as v1beta1 are read as v1. The types are here
// for the custom resource definitions to be generated from; nothing reads them.
//
// +kubebuilder:object:generate=true
// +groupName=external-secrets.io
// +versionName=v1beta1
package v1beta1

//go:generate go tool sigs.k8s.io/controller-tools/cmd/controller-gen object paths=.
