package graph

import (
	"cmp"

	"hearth/internal/render"
	"hearth/internal/render/desired"
)

// pushed lists the Secrets that a PushSecret writes: where its store is another
// namespace of a Kubernetes cluster, taken to be this one. Stores that are
// chosen by labels are not followed.
func (s *supply) pushed(o *desired.Object) []product {
	p := &products{field: field{value: o.Object}, namespace: o.GetNamespace(), name: o.GetName()}
	for ref := range p.at("spec", "secretStoreRefs").items() {
		key := render.Key{Group: externalSecretsGroup, Kind: ref.at("kind").textOr("SecretStore"), Name: ref.at("name").text()}
		if key.Kind == "SecretStore" {
			key.Namespace = p.namespace
		}
		store := s.objects[key]
		if store == nil {
			continue
		}
		provider := (field{value: store.Object}).at("spec", "provider", "kubernetes")
		if !provider.exists() {
			continue
		}
		for data := range p.at("spec", "data").items() {
			p.elsewhere(secretKind, cmp.Or(provider.at("remoteNamespace").text(), "default"), data.at("match", "remoteRef", "remoteKey").text())
		}
	}
	return p.list
}
