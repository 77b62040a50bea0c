package secrets

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/render/desired"
)

// Store is where an ExternalSecret reads from.
type Store struct {
	Ref domain.Ref
	// Provider is its name in the store's specification; empty where the
	// repository does not hold the store.
	Provider string
	// Vaults are the names or ids of the vaults that it searches, in that
	// order; none where that is not known.
	Vaults []string
}

// The providers that read from 1Password.
const (
	connectProvider = "onepassword"
	sdkProvider     = "onepasswordSDK"
)

// IsOnePassword reports whether a provider reads from 1Password; so does one
// that is not known, most likely.
func IsOnePassword(provider string) bool {
	return provider == "" || provider == connectProvider || provider == sdkProvider
}

// inVault reports whether a vault holds the store's values, rather than the
// cluster itself.
func (s Store) inVault() bool { return s.Provider != "kubernetes" && s.Provider != "fake" }

// stores resolves references to stores.
type stores struct {
	state *desired.State
	known map[domain.Ref]Store
}

func newStores(state *desired.State) *stores {
	return &stores{state: state, known: map[domain.Ref]Store{}}
}

// of returns the store that is referred to in a namespace.
func (s *stores) of(namespace string, ref v1.SecretStoreRef) Store {
	key := domain.Ref{Kind: cmp.Or(ref.Kind, v1.SecretStoreKind), Namespace: namespace, Name: ref.Name}
	if key.Kind == v1.ClusterSecretStoreKind {
		key.Namespace = ""
	}
	if store, ok := s.known[key]; ok {
		return store
	}
	store := Store{Ref: key}
	for _, o := range s.state.OfKind(Group, key.Kind) {
		// Kustomize gives a namespace to what it does not know to have none.
		if o.GetName() == key.Name && (key.Namespace == "" || o.GetNamespace() == key.Namespace) {
			store.Provider, store.Vaults = readProvider(s.state.Named(o).Object)
			break
		}
	}
	s.known[key] = store
	return store
}

// readProvider returns the provider of a store, and the vaults that it searches.
func readProvider(content map[string]any) (name string, vaults []string) {
	var store v1.ClusterSecretStore // the specification of a SecretStore is the same
	if runtime.DefaultUnstructuredConverter.FromUnstructured(content, &store) != nil {
		return "", nil
	}
	p := store.Spec.Provider
	if p == nil {
		return "", nil
	}
	switch name = p.Name(); {
	case p.OnePassword != nil:
		vaults = slices.SortedFunc(maps.Keys(p.OnePassword.Vaults), func(a, b string) int {
			return cmp.Or(p.OnePassword.Vaults[a]-p.OnePassword.Vaults[b], strings.Compare(a, b))
		})
	case name == sdkProvider:
		var settings struct {
			Vault string `json:"vault"`
		}
		if json.Unmarshal(p.Other[name], &settings) == nil && settings.Vault != "" {
			vaults = []string{settings.Vault}
		}
	}
	return name, vaults
}
