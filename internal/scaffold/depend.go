package scaffold

import (
	"fmt"
	"path"
	"slices"

	"hearth/internal/render/desired"
)

// dependency is a Kustomization to wait for.
type dependency struct{ name, namespace string }

// waitFor adds the Kustomization that applies something, unless it applies the
// applications themselves or bootstrap does.
func (b *builder) waitFor(needs []dependency, on *desired.Kustomization) []dependency {
	if on == nil || on.Parent == nil || b.isAbove(on) {
		return needs
	}
	d := dependency{on.Name, on.Namespace}
	if slices.Contains(needs, d) {
		return needs
	}
	return append(needs, d)
}

// isAbove reports whether a Kustomization applies the folder of the
// applications.
func (b *builder) isAbove(k *desired.Kustomization) bool {
	for _, s := range b.layout.samples {
		for parent := s.Parent; parent != nil; parent = parent.Parent {
			if parent == k {
				return true
			}
		}
	}
	return false
}

// made returns the Kustomization that applies what makes an object.
func (b *builder) made(group, kind, namespace, name string) *desired.Kustomization {
	if by, _ := b.graph.Provider(group, kind, namespace, name); by != nil {
		return by.Kustomization
	}
	return nil
}

// brought returns the Kustomization that brings a kind.
func (b *builder) brought(group, kind string) *desired.Kustomization {
	for _, by := range b.graph.Brings(group, kind) {
		if by.Kustomization != nil {
			return by.Kustomization
		}
	}
	return nil
}

// storeNeeds is what brings the store of secrets.
func (b *builder) storeNeeds(needs []dependency) []dependency {
	store := b.store()
	if k := b.made(secretsGroup, store.Kind, b.Namespace, store.Name); k != nil {
		return b.waitFor(needs, k)
	}
	return b.waitFor(needs, b.brought(secretsGroup, "ExternalSecret"))
}

// storageNeeds is what brings a storage class.
func (b *builder) storageNeeds(needs []dependency, class string) []dependency {
	if class == "" {
		return needs
	}
	return b.waitFor(needs, b.made(storageGroup, "StorageClass", "", class))
}

// applicationNeeds is what the application waits for.
func (b *builder) applicationNeeds() []dependency {
	var needs []dependency
	if b.Database {
		needs = append(needs, dependency{b.databaseName(), b.installNamespace()})
	}
	if b.secret != "" {
		needs = b.storeNeeds(needs)
	}
	for _, s := range b.Storage {
		if s.Size != "" {
			needs = b.storageNeeds(needs, b.classFor(configUse))
		}
	}
	if g := b.gateway(); g != nil {
		needs = b.waitFor(needs, g.Kustomization)
	}
	if b.tunnelled() {
		needs = b.waitFor(needs, b.brought(endpointGroup, "DNSEndpoint"))
	}
	return needs
}

// databaseNeeds is what the database waits for.
func (b *builder) databaseNeeds() []dependency {
	needs := b.waitFor(nil, b.databaseOperator())
	return b.storageNeeds(b.storeNeeds(needs), b.classFor(databaseUse))
}

// databaseOperator is the Kustomization that runs CloudNativePG.
func (b *builder) databaseOperator() *desired.Kustomization {
	for _, r := range b.state.Releases {
		if path.Base(r.ChartName) == "cloudnative-pg" {
			return r.Object.Kustomization
		}
	}
	return b.brought("postgresql.cnpg.io", "Cluster")
}

// missing reports whether surely nothing makes an object.
func (b *builder) missing(group, kind, namespace, name string) bool {
	if _, known := b.graph.Provider(group, kind, namespace, name); known {
		return false
	}
	_, doubt := b.graph.DoubtAbout(kind, namespace, name)
	return !doubt
}

// isUsed reports whether something in the tree brings a kind, or uses it.
func (b *builder) isUsed(group, kind string) bool {
	return len(b.graph.Brings(group, kind)) > 0 || len(b.state.OfKind(group, kind)) > 0
}

// lacks is the sentence for what nothing in the cluster brings.
func (b *builder) lacks(flag, what string) error {
	return fmt.Errorf("%s needs %s, which nothing in cluster %s brings: add it first", flag, what, b.state.Cluster.Name)
}

// The groups of what applications use.
const (
	secretsGroup  = "external-secrets.io"
	storageGroup  = "storage.k8s.io"
	gatewayGroup  = "gateway.networking.k8s.io"
	endpointGroup = "externaldns.k8s.io"
	sourceGroup   = "source.toolkit.fluxcd.io"
)
