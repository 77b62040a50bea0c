package diagnose

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/domain"
)

// built are places as a build keeps them.
type built map[Key]domain.Place

func (b built) Place(k Key, _ ...string) domain.Place { return b[k] }
func (b built) Mention(Key, string) domain.Place      { return domain.Place{} }
func (b built) Bringer(Key) (Key, bool)               { return Key{}, false }
func (b built) Definers(string, string) []Key         { return nil }

// TestPlaceOfClusterObject finds an object without a namespace that a build
// has given one.
func TestPlaceOfClusterObject(t *testing.T) {
	w := NewWorld(time.Now())
	w.Add(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
		"metadata": map[string]any{"name": "connect", "namespace": "flux-system"},
		"spec":     map[string]any{"targetNamespace": "external-secrets"},
	}})
	w.Add(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "external-secrets.io/v1", "kind": "ClusterSecretStore",
		"metadata": map[string]any{"name": "vault", "labels": map[string]any{
			"kustomize.toolkit.fluxcd.io/name": "connect", "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
		}},
	}})
	by := domain.Place{File: "install.yaml", Line: 3}
	store := domain.Place{File: "store.yaml", Line: 2}
	places := built{Kustomization.Key("flux-system", "connect"): by}
	w.Places = places
	at := Locus{Key: ClusterSecretStore.Key("", "vault")}
	if got := w.placeAbove(at); got != by {
		t.Errorf("the place is %s, want the Kustomization's, %s", got, by)
	}
	places[ClusterSecretStore.Key("external-secrets", "vault")] = store
	if got := w.placeAbove(at); got != store {
		t.Errorf("the place is %s, want %s", got, store)
	}
}

// TestToldPlace finds the place that a message names, and takes no other for one.
func TestToldPlace(t *testing.T) {
	for text, want := range map[string]domain.Place{
		"BuildFailed: broken/config.yaml:5: not valid YAML: did not find expected node content": {File: "broken/config.yaml", Line: 5},
		"values do not fit (apps/web/release.yaml:7)":                                           {File: "apps/web/release.yaml", Line: 7},
		"template: web/templates/a.yaml:1:21: executing \"web\"":                                {},
		"no place": {},
	} {
		f := &Finding{Evidence: []Evidence{{Text: text}}}
		if got, ok := f.toldPlace(); got != want || ok != want.Known() {
			t.Errorf("%s: %s", text, got)
		}
	}
}
