package externalsecret

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// storeKey names a store. Namespace is empty for a ClusterSecretStore.
type storeKey struct{ kind, namespace, name string }

// String returns for example `ClusterSecretStore "onepassword-connect"`.
func (k storeKey) String() string {
	if k.namespace != "" {
		return fmt.Sprintf("%s %q", k.kind, k.namespace+"/"+k.name)
	}
	return fmt.Sprintf("%s %q", k.kind, k.name)
}

func keyOf(s v1.Store) storeKey {
	if _, ok := s.(*v1.ClusterSecretStore); ok {
		return storeKey{kind: v1.ClusterSecretStoreKind, name: s.GetName()}
	}
	return storeKey{v1.SecretStoreKind, s.GetNamespace(), s.GetName()}
}

// keyOfRef resolves a reference made in a namespace.
func keyOfRef(ref v1.SecretStoreRef, namespace string) storeKey {
	if ref.Kind == v1.ClusterSecretStoreKind {
		return storeKey{kind: ref.Kind, name: ref.Name}
	}
	return storeKey{v1.SecretStoreKind, namespace, ref.Name}
}

// storeObject is a store that can be read and written.
type storeObject interface {
	v1.Store
	client.Object
}

func newStore(kind string) storeObject {
	if kind == v1.ClusterSecretStoreKind {
		return &v1.ClusterSecretStore{}
	}
	return &v1.SecretStore{}
}

// getStore reads a store.
func getStore(ctx context.Context, c client.Reader, key storeKey) (storeObject, error) {
	store := newStore(key.kind)
	err := c.Get(ctx, types.NamespacedName{Namespace: key.namespace, Name: key.name}, store)
	return store, err
}

// listStores returns all stores of a kind. They are read only.
func listStores(ctx context.Context, c client.Reader, kind string) []storeObject {
	var out []storeObject
	if kind == v1.ClusterSecretStoreKind {
		var list v1.ClusterSecretStoreList
		if c.List(ctx, &list, client.UnsafeDisableDeepCopy) == nil {
			for i := range list.Items {
				out = append(out, &list.Items[i])
			}
		}
		return out
	}
	var list v1.SecretStoreList
	if c.List(ctx, &list, client.UnsafeDisableDeepCopy) == nil {
		for i := range list.Items {
			out = append(out, &list.Items[i])
		}
	}
	return out
}

// tokenSecret returns the Secret and key that hold a store's token, and
// whether the store names one.
func tokenSecret(store v1.Store) (types.NamespacedName, string, bool) {
	spec := store.StoreSpec()
	if spec.Provider == nil || spec.Provider.OnePassword == nil {
		return types.NamespacedName{}, "", false
	}
	auth := spec.Provider.OnePassword.Auth
	if auth == nil || auth.SecretRef == nil {
		return types.NamespacedName{}, "", false
	}
	ref := auth.SecretRef.ConnectToken
	name := types.NamespacedName{Namespace: store.GetNamespace(), Name: ref.Name}
	if name.Namespace == "" && ref.Namespace != nil {
		name.Namespace = *ref.Namespace
	}
	return name, ref.Key, ref.Name != ""
}

// credentials returns the Secrets that a store needs to log in.
func credentials(store v1.Store) []types.NamespacedName {
	if name, _, ok := tokenSecret(store); ok {
		return []types.NamespacedName{name}
	}
	settings := store.StoreSpec().Provider
	if settings == nil || settings.Kubernetes == nil {
		return nil
	}
	var refs []v1.SecretKeySelector
	if k := settings.Kubernetes; k.AuthRef != nil {
		refs = append(refs, *k.AuthRef)
	} else if k.Auth != nil && k.Auth.Token != nil {
		refs = append(refs, k.Auth.Token.BearerToken)
	} else if k.Auth != nil && k.Auth.Cert != nil {
		refs = append(refs, k.Auth.Cert.ClientCert, k.Auth.Cert.ClientKey)
	}
	var names []types.NamespacedName
	for _, ref := range refs {
		if name, err := keyOf(store).local("auth", ref.Name, ref.Namespace); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// ourController is the name that External Secrets Operator goes by unless it is
// told another.
const ourController = "default"

// isOurs reports whether a store is not left to another controller.
func isOurs(store v1.Store) bool {
	name := store.StoreSpec().Controller
	return name == "" || name == ourController
}

// service returns the Service that a store's Connect server stands behind, if
// its host is the name of one.
func service(store v1.Store) (types.NamespacedName, bool) {
	spec := store.StoreSpec()
	if spec.Provider == nil || spec.Provider.OnePassword == nil {
		return types.NamespacedName{}, false
	}
	u, err := url.Parse(spec.Provider.OnePassword.ConnectHost)
	if err != nil {
		return types.NamespacedName{}, false
	}
	parts := strings.Split(u.Hostname(), ".")
	switch {
	case len(parts) == 1 && parts[0] != "" && parts[0] != "localhost":
		return types.NamespacedName{Namespace: store.GetNamespace(), Name: parts[0]}, true
	case len(parts) == 2 || len(parts) > 2 && parts[2] == "svc":
		return types.NamespacedName{Namespace: parts[1], Name: parts[0]}, true
	}
	return types.NamespacedName{}, false
}
