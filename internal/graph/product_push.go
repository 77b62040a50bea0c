package graph

import (
	"cmp"

	"hearth/internal/render"
	"hearth/internal/render/desired"
)

var (
	pushSecretKind        = kind{externalSecretsGroup, "PushSecret"}
	clusterPushSecretKind = kind{externalSecretsGroup, "ClusterPushSecret"}
)

// pushed lists the Secrets that a PushSecret writes, or those that a
// ClusterPushSecret makes: where the store is another namespace of a Kubernetes
// cluster, taken to be this one. Stores that are chosen by labels are not
// followed.
func (s *supply) pushed(o *desired.Object, in namespaces) []product {
	p := &products{field: field{value: o.Object}, namespace: o.GetNamespace(), name: o.GetName()}
	switch kindOf(o) {
	case pushSecretKind:
		s.pushedFrom(p, p.at("spec"), []string{p.namespace})
	case clusterPushSecretKind:
		var selectors []field
		for selector := range p.at("spec", "namespaceSelectors").items() {
			selectors = append(selectors, selector)
		}
		var meant []string
		for namespace := range in {
			if in.selected(selectors...)(namespace) {
				meant = append(meant, namespace)
			}
		}
		s.pushedFrom(p, p.at("spec", "pushSecretSpec"), meant)
	}
	return p.list
}

// pushedFrom adds what one specification writes from some namespaces.
func (s *supply) pushedFrom(p *products, spec field, from []string) {
	for ref := range spec.at("secretStoreRefs").items() {
		key := render.Key{Group: externalSecretsGroup, Kind: ref.at("kind").textOr("SecretStore"), Name: ref.at("name").text()}
		if key.Kind != "SecretStore" {
			s.pushedTo(p, spec, s.objects[key])
			continue
		}
		for _, key.Namespace = range from {
			s.pushedTo(p, spec, s.objects[key])
		}
	}
}

// pushedTo adds what is written to one store.
func (s *supply) pushedTo(p *products, spec field, store *desired.Object) {
	if store == nil {
		return
	}
	provider := (field{value: store.Object}).at("spec", "provider", "kubernetes")
	if !provider.exists() {
		return
	}
	for data := range spec.at("data").items() {
		p.elsewhere(secretKind, cmp.Or(provider.at("remoteNamespace").text(), "default"), data.at("match", "remoteRef", "remoteKey").text())
	}
}
