// Package v1alpha1 is the version of the API group external-secrets.io that
// PushSecret and ClusterPushSecret have: values of the cluster that are to be
// written to a store. Their settings are kept as they came.
//
// +kubebuilder:object:generate=true
// +groupName=external-secrets.io
// +versionName=v1alpha1
package v1alpha1

//go:generate go tool sigs.k8s.io/controller-tools/cmd/controller-gen object paths=.
