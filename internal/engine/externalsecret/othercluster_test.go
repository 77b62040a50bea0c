package externalsecret

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// known is a client that has the objects that it was made of, and nothing more.
type known struct {
	client.Client
	secrets map[types.NamespacedName]map[string]string
}

func (k *known) Get(_ context.Context, name types.NamespacedName, obj client.Object, _ ...client.GetOption) error {
	secret := obj.(*corev1.Secret)
	*secret = corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name.Name}, Data: map[string][]byte{}}
	for key, value := range k.secrets[name] {
		secret.Data[key] = []byte(value)
	}
	return nil
}

func TestSecretStoreLoginByCertificate(t *testing.T) {
	here := types.NamespacedName{Namespace: "ns", Name: "login"}
	p := newProviders(Options{}, &known{secrets: map[types.NamespacedName]map[string]string{here: {"crt": "a certificate", "key": "a key"}}}, nil)
	elsewhere := "other"
	settings := &v1.KubernetesProvider{
		Server: &v1.KubernetesServer{URL: "https://cluster.home.arpa:6443", CABundle: []byte("authorities")},
		Auth: &v1.KubernetesAuth{Cert: &v1.KubernetesCertAuth{
			// A SecretStore reads its own namespace only, whatever it says.
			ClientCert: v1.SecretKeySelector{Name: "login", Key: "crt", Namespace: &elsewhere}, ClientKey: v1.SecretKeySelector{Name: "login", Key: "key"},
		}},
	}
	config, err := p.clusterConfig(t.Context(), storeKey{v1.SecretStoreKind, "ns", "store"}, settings)
	if err != nil {
		t.Fatal(err)
	}
	if string(config.CertData) != "a certificate" || string(config.KeyData) != "a key" || string(config.CAData) != "authorities" || config.Host != settings.Server.URL || config.Dial == nil {
		t.Error("the connection is not what the store says")
	}
	if _, err := p.clusterConfig(t.Context(), storeKey{kind: v1.ClusterSecretStoreKind, name: "store"}, settings); err == nil {
		t.Error("a ClusterSecretStore reads a Secret of another namespace than it says")
	}
}

func TestSecretStoreIgnoresConditions(t *testing.T) {
	store := &v1.SecretStore{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "store"}}
	store.Spec.Conditions = []v1.ClusterSecretStoreCondition{{Namespaces: []string{"other"}}}
	if err := (&reconciler{}).admitted(t.Context(), "ns", store); err != nil {
		t.Errorf("a SecretStore is for its namespace alone, whatever its conditions: %v", err)
	}
}
