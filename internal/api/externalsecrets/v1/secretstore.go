package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SecretStoreSpec says where secrets are kept and how to get at them.
type SecretStoreSpec struct {
	// Controller names the controller that is to serve this store; empty means any.
	// +optional
	Controller string `json:"controller,omitempty"`

	// Exactly one provider is set.
	Provider *SecretStoreProvider `json:"provider"`

	// +optional
	RetrySettings *SecretStoreRetrySettings `json:"retrySettings,omitempty"`

	// RefreshInterval is how often, in seconds, the store is validated again;
	// 0 means the default.
	// +optional
	RefreshInterval int `json:"refreshInterval,omitempty"`

	// Conditions limit the namespaces that may use a ClusterSecretStore.
	// +optional
	Conditions []ClusterSecretStoreCondition `json:"conditions,omitempty"`
}

// SecretStoreRetrySettings says how often a provider is asked again.
type SecretStoreRetrySettings struct {
	// +optional
	MaxRetries *int32 `json:"maxRetries,omitempty"`
	// +optional
	RetryInterval *string `json:"retryInterval,omitempty"`
}

// ClusterSecretStoreCondition admits namespaces: those that match any of its parts.
type ClusterSecretStoreCondition struct {
	// +optional
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`
	// +optional
	Namespaces []string `json:"namespaces,omitempty"`
	// +optional
	NamespaceRegexes []string `json:"namespaceRegexes,omitempty"`
}

// Capabilities says what a store allows.
type Capabilities string

// The capabilities of stores.
const (
	ReadOnly  Capabilities = "ReadOnly"
	WriteOnly Capabilities = "WriteOnly"
	ReadWrite Capabilities = "ReadWrite"
)

// SecretStoreStatus tells whether a store can be used.
type SecretStoreStatus struct {
	// +optional
	Conditions []Condition `json:"conditions,omitempty"`
	// +optional
	Capabilities Capabilities `json:"capabilities,omitempty"`
}

// SecretStore is where secrets of one namespace come from.
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,categories={external-secrets},shortName=ss
// +kubebuilder:metadata:labels="external-secrets.io/component=controller"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Capabilities",type=string,JSONPath=`.status.capabilities`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
type SecretStore struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   SecretStoreSpec   `json:"spec,omitempty"`
	Status SecretStoreStatus `json:"status,omitempty"`
}

// SecretStoreList is a list of SecretStores.
// +kubebuilder:object:root=true
type SecretStoreList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SecretStore `json:"items"`
}

// ClusterSecretStore is where secrets of all namespaces come from.
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories={external-secrets},shortName=css
// +kubebuilder:metadata:labels="external-secrets.io/component=controller"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Capabilities",type=string,JSONPath=`.status.capabilities`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
type ClusterSecretStore struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   SecretStoreSpec   `json:"spec,omitempty"`
	Status SecretStoreStatus `json:"status,omitempty"`
}

// ClusterSecretStoreList is a list of ClusterSecretStores.
// +kubebuilder:object:root=true
type ClusterSecretStoreList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClusterSecretStore `json:"items"`
}

// Store is a SecretStore or a ClusterSecretStore.
// +kubebuilder:object:generate=false
type Store interface {
	metav1.Object
	// StoreSpec returns the store's spec; it is the object's own.
	StoreSpec() *SecretStoreSpec
	// StoreStatus returns the store's status; it is the object's own.
	StoreStatus() *SecretStoreStatus
}

// StoreSpec returns the spec.
func (s *SecretStore) StoreSpec() *SecretStoreSpec { return &s.Spec }

// StoreStatus returns the status.
func (s *SecretStore) StoreStatus() *SecretStoreStatus { return &s.Status }

// StoreSpec returns the spec.
func (s *ClusterSecretStore) StoreSpec() *SecretStoreSpec { return &s.Spec }

// StoreStatus returns the status.
func (s *ClusterSecretStore) StoreStatus() *SecretStoreStatus { return &s.Status }
