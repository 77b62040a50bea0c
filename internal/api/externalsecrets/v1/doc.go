// Package v1 is the API group external-secrets.io in version v1: which items
// of a secret store a cluster wants, and what Secret is to be made of them.
//
// The types are wire-compatible with those of External Secrets Operator, so
// that a repository written for it applies unchanged and an object written
// here means the same there. Provider settings that Hearth does not read are
// kept as they came. The package holds data only; it talks to nobody.
//
// +kubebuilder:object:generate=true
// +groupName=external-secrets.io
// +versionName=v1
package v1

//go:generate go tool sigs.k8s.io/controller-tools/cmd/controller-gen object paths=.
