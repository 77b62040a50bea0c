package rehearsal

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/kube/crds"
	"hearth/internal/standin/operator"
)

// enter applies what Flux's installer would make: the source and the root
// Kustomization. From there on the reconcilers follow.
func (s *Stage) enter(ctx context.Context, c client.Client) error {
	entry := s.cluster.Entry
	if entry.Kind != "GitRepository" {
		s.problem("%s: the entry is a %s: the working tree is taken for what it will hold", entry.Place, entry.Kind)
	}
	for _, obj := range entry.Objects() {
		if err := apply(ctx, c, obj); err != nil {
			return fmt.Errorf("%s: apply the entry of cluster %s: %w", entry.Place, s.cluster.Name, err)
		}
	}
	return nil
}

func isUnknownKind(err error) bool { return meta.IsNoMatchError(err) }

// unknownKind makes a kind known that nobody is going to bring, and reports
// whether it did.
func (s *Stage) unknownKind(ctx context.Context, gvk schema.GroupVersionKind, place domain.Place) (bool, error) {
	if !s.mayAssume(gvk, place) {
		return false, nil
	}
	err := s.assumeKind(ctx, gvk, place)
	return err == nil, err
}

// companions are kinds that an operator makes objects of itself, and that come
// with those that people write.
var companions = map[schema.GroupKind][]schema.GroupVersionKind{
	{Group: "cert-manager.io", Kind: "Certificate"}: {
		{Group: "cert-manager.io", Version: "v1", Kind: "CertificateRequest"},
		{Group: "acme.cert-manager.io", Version: "v1", Kind: "Order"},
		{Group: "acme.cert-manager.io", Version: "v1", Kind: "Challenge"},
	},
}

// assumeKind makes a kind known by a permissive CRD, with those that come with
// it, and records it.
func (s *Stage) assumeKind(ctx context.Context, gvk schema.GroupVersionKind, place domain.Place) error {
	for _, companion := range companions[gvk.GroupKind()] {
		if _, err := s.engine.client.RESTMapper().RESTMapping(companion.GroupKind(), companion.Version); err == nil {
			continue
		}
		if err := s.assumeKind(ctx, companion, place); err != nil {
			return err
		}
	}
	plural, namespaced := crds.Names(gvk.Group, gvk.Kind)
	crd := crds.Permissive(gvk.Group, gvk.Version, gvk.Kind, plural, namespaced)
	if crd.Annotations == nil {
		crd.Annotations = map[string]string{}
	}
	crd.Annotations[operator.AnnotationAssumed] = "true"
	if err := crds.Install(ctx, s.kubernetes.Config(), crd); err != nil {
		return fmt.Errorf("%s: assume the kind %s: %w", place, gvk.GroupKind(), err)
	}
	s.assumptions.Add(domain.AssumedCRD, gvk.GroupKind().String(), fmt.Sprintf("no chart at hand brings its CRD; first used in %s", place))
	return nil
}

func (s *Stage) unknownBootstrapKind(ctx context.Context, gvk schema.GroupVersionKind) (bool, error) {
	return s.unknownKind(ctx, gvk, s.cluster.Entry.Place)
}

// namespaced reports whether objects of a kind live in namespaces; of a kind
// that the server does not know yet by how such kinds are usually named.
func (s *Stage) namespaced(gvk schema.GroupVersionKind) bool {
	mapping, err := s.engine.client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		_, namespaced := crds.Names(gvk.Group, gvk.Kind)
		return namespaced
	}
	return mapping.Scope.Name() == meta.RESTScopeNameNamespace
}
