// Package v1 is the API group fluxcd.controlplane.io in version v1, as
// flux-operator serves it: how Flux is set up in a cluster (FluxInstance), what
// it is doing (FluxReport), and objects that are made from templates and inputs
// (ResourceSet, ResourceSetInputProvider).
//
// The types are wire-compatible with those of flux-operator and Hearth's own,
// so that a repository written for it applies unchanged. The package holds data
// and the meaning of its annotations; it talks to nobody.
//
// +kubebuilder:object:generate=true
// +groupName=fluxcd.controlplane.io
// +versionName=v1
package v1

//go:generate go tool sigs.k8s.io/controller-tools/cmd/controller-gen object paths=.
