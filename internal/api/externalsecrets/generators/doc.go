// Package generators is the API group generators.external-secrets.io in version
// v1alpha1: objects that make values up when they are asked.
//
// The types are wire-compatible with those of External Secrets Operator. Of its
// generators these are here that need nobody else: passwords and UUIDs, and the
// ClusterGenerators of them.
//
// +kubebuilder:object:generate=true
// +groupName=generators.external-secrets.io
// +versionName=v1alpha1
package generators

//go:generate go tool sigs.k8s.io/controller-tools/cmd/controller-gen object paths=.
