package v1

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// SecretStoreProvider says which product keeps the secrets. Exactly one
// provider is set. Those that Hearth does not speak are kept in Other.
// +kubebuilder:pruning:PreserveUnknownFields
type SecretStoreProvider struct {
	// +optional
	OnePassword *OnePasswordProvider `json:"onepassword,omitempty"`
	// +optional
	Kubernetes *KubernetesProvider `json:"kubernetes,omitempty"`
	// +optional
	Fake *FakeProvider `json:"fake,omitempty"`

	// Other holds every other provider's settings as they came, by name.
	Other map[string]json.RawMessage `json:"-"`
}

// providerFields has the fields of SecretStoreProvider without its methods.
type providerFields SecretStoreProvider

// UnmarshalJSON reads the providers that are known, and keeps the others.
func (p *SecretStoreProvider) UnmarshalJSON(data []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return fmt.Errorf("read spec.provider of a secret store: %w", err)
	}
	var known providerFields
	if err := json.Unmarshal(data, &known); err != nil {
		return fmt.Errorf("read spec.provider of a secret store: %w", err)
	}
	for _, name := range []string{"onepassword", "kubernetes", "fake"} {
		delete(all, name)
	}
	*p = SecretStoreProvider(known)
	p.Other = nil
	if len(all) > 0 {
		p.Other = all
	}
	return nil
}

// MarshalJSON writes all of it.
func (p SecretStoreProvider) MarshalJSON() ([]byte, error) {
	all := maps.Clone(p.Other)
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	for name, settings := range map[string]any{"onepassword": p.OnePassword, "kubernetes": p.Kubernetes, "fake": p.Fake} {
		data, err := json.Marshal(settings)
		if err != nil {
			return nil, err
		}
		if string(data) != "null" {
			all[name] = data
		}
	}
	return json.Marshal(all)
}

// Name returns the name of the provider that is set, such as "onepassword";
// all of them, joined by commas, where an object sets more than one.
func (p *SecretStoreProvider) Name() string {
	if p == nil {
		return ""
	}
	names := slices.Collect(maps.Keys(p.Other))
	if p.OnePassword != nil {
		names = append(names, "onepassword")
	}
	if p.Kubernetes != nil {
		names = append(names, "kubernetes")
	}
	if p.Fake != nil {
		names = append(names, "fake")
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

// SecretKeySelector names one key of a Secret.
type SecretKeySelector struct {
	// +optional
	Name string `json:"name,omitempty"`
	// Namespace, in a ClusterSecretStore.
	// +optional
	Namespace *string `json:"namespace,omitempty"`
	// +optional
	Key string `json:"key,omitempty"`
}

// OnePasswordProvider reads from a 1Password Connect server.
type OnePasswordProvider struct {
	Auth *OnePasswordAuth `json:"auth"`
	// ConnectHost is the server's URL.
	ConnectHost string `json:"connectHost"`
	// Vaults maps names or ids of vaults to the order in which they are searched.
	Vaults map[string]int `json:"vaults"`
}

// OnePasswordAuth holds the server's token.
type OnePasswordAuth struct {
	SecretRef *OnePasswordAuthSecretRef `json:"secretRef"`
}

// OnePasswordAuthSecretRef names the Secret with the token.
type OnePasswordAuthSecretRef struct {
	ConnectToken SecretKeySelector `json:"connectTokenSecretRef"`
}

// KubernetesProvider reads and writes Secrets of a cluster.
// +kubebuilder:pruning:PreserveUnknownFields
type KubernetesProvider struct {
	// Server is the cluster; this one where its URL is not given, or is that
	// of the cluster itself.
	// +optional
	Server *KubernetesServer `json:"server,omitempty"`

	// Auth says how to log in to another cluster.
	// +optional
	Auth *KubernetesAuth `json:"auth,omitempty"`

	// AuthRef names a kubeconfig for another cluster, instead of Server and Auth.
	// +optional
	AuthRef *SecretKeySelector `json:"authRef,omitempty"`

	// RemoteNamespace holds the Secrets.
	// +kubebuilder:default=default
	// +optional
	RemoteNamespace string `json:"remoteNamespace,omitempty"`
}

// KubernetesServer says how to reach a cluster.
// +kubebuilder:pruning:PreserveUnknownFields
type KubernetesServer struct {
	// +optional
	URL string `json:"url,omitempty"`

	// CABundle is what the server's certificate is checked with, as PEM.
	// +optional
	CABundle []byte `json:"caBundle,omitempty"`

	// CAProvider names what holds such a bundle.
	// +optional
	CAProvider *CAProvider `json:"caProvider,omitempty"`
}

// CAProvider names a key of a Secret or ConfigMap that holds certificates.
type CAProvider struct {
	// +kubebuilder:validation:Enum=Secret;ConfigMap
	Type string `json:"type"`
	Name string `json:"name"`
	// +optional
	Key string `json:"key,omitempty"`
	// Namespace, in a ClusterSecretStore.
	// +optional
	Namespace *string `json:"namespace,omitempty"`
}

// KubernetesAuth says how to log in. One of its fields is set.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=1
type KubernetesAuth struct {
	// +optional
	Cert *KubernetesCertAuth `json:"cert,omitempty"`
	// +optional
	Token *KubernetesTokenAuth `json:"token,omitempty"`
	// ServiceAccount of this cluster, which the other one has to know.
	// +optional
	ServiceAccount *ServiceAccountSelector `json:"serviceAccount,omitempty"`
}

// KubernetesCertAuth is a client certificate.
type KubernetesCertAuth struct {
	// +optional
	ClientCert SecretKeySelector `json:"clientCert,omitempty"`
	// +optional
	ClientKey SecretKeySelector `json:"clientKey,omitempty"`
}

// KubernetesTokenAuth is a bearer token.
type KubernetesTokenAuth struct {
	// +optional
	BearerToken SecretKeySelector `json:"bearerToken,omitempty"`
}

// ServiceAccountSelector names a ServiceAccount.
type ServiceAccountSelector struct {
	Name string `json:"name"`
	// Namespace, in a ClusterSecretStore.
	// +optional
	Namespace *string `json:"namespace,omitempty"`
	// Audiences of its token.
	// +optional
	Audiences []string `json:"audiences,omitempty"`
}

// FakeProvider holds its values itself.
// +kubebuilder:pruning:PreserveUnknownFields
type FakeProvider struct {
	// +optional
	Data []FakeProviderData `json:"data,omitempty"`

	// ValidationResult is what the store's validation comes to: 0 valid, 1
	// unknown, 2 an error.
	// +optional
	ValidationResult *int `json:"validationResult,omitempty"`
}

// FakeProviderData is one of its values.
type FakeProviderData struct {
	Key string `json:"key"`
	// +optional
	Value string `json:"value,omitempty"`
	// +optional
	Version string `json:"version,omitempty"`
}
