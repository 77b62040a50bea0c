package externalsecret

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/engine/remote"
	"hearth/internal/source/guard"
)

const (
	// requestTimeout bounds one request to another cluster.
	requestTimeout = 30 * time.Second
	// tokenLifetime is what a ServiceAccount's token is asked for; a new one is
	// asked for at half of it.
	tokenLifetime = time.Hour
)

// openCluster returns the provider of a store that reads a cluster's Secrets.
func (p *providers) openCluster(ctx context.Context, store v1.Store, settings *v1.KubernetesProvider) (provider, error) {
	out := &clusterProvider{client: p.client, live: p.live, namespace: remoteNamespace(settings)}
	_, out.global = store.(*v1.ClusterSecretStore)
	if isOwn(settings) {
		return out, nil
	}
	key := keyOf(store)
	config, err := p.clusterConfig(ctx, key, settings)
	if err != nil {
		return nil, err
	}
	made := fingerprint(config)
	c, err := p.pooledCluster(key, made, config)
	if err != nil {
		return nil, fmt.Errorf("the cluster at %s cannot be spoken to: %w", config.Host, err)
	}
	out.client, out.live, out.other = c, c, config.Host
	return out, nil
}

// fingerprint tells the configurations of one store apart.
func fingerprint(c *rest.Config) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %q %q %q", c.Host, c.BearerToken, c.Username, c.Password, c.CAData, c.CertData, c.KeyData, c.ServerName))
}

// pooledCluster returns the store's client, a new one if its configuration changed.
func (p *providers) pooledCluster(key storeKey, made [sha256.Size]byte, config *rest.Config) (client.Client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.clusters[key]; old != nil && old.made == made {
		return old.client, nil
	}
	c, err := client.New(config, client.Options{Scheme: p.client.Scheme(), Mapper: secretsOnly()})
	if err != nil {
		return nil, err
	}
	p.clusters[key] = &otherCluster{made, c}
	return c, nil
}

// otherCluster is a client and what it was made of.
type otherCluster struct {
	made   [sha256.Size]byte
	client client.Client
}

// clusterConfig reads how to reach and log in to another cluster.
func (p *providers) clusterConfig(ctx context.Context, key storeKey, settings *v1.KubernetesProvider) (*rest.Config, error) {
	if settings.AuthRef != nil {
		content, err := p.selected(ctx, key, "authRef", *settings.AuthRef)
		if err != nil {
			return nil, err
		}
		return remote.Config(content)
	}
	server, err := url.Parse(settings.Server.URL)
	if err != nil || server.Hostname() == "" || server.Scheme != "https" {
		return nil, errors.New("spec.provider.kubernetes.server.url is no https URL")
	}
	config := &rest.Config{Host: settings.Server.URL, Dial: guard.New(server, false).Dial, Timeout: requestTimeout, UserAgent: "hearth", QPS: -1}
	if config.CAData, err = p.authorities(ctx, key, settings.Server); err != nil {
		return nil, err
	}
	if settings.Auth == nil {
		return nil, errors.New("spec.provider.kubernetes.auth is missing: name a token, a client certificate or a ServiceAccount")
	}
	return config, p.login(ctx, key, settings.Auth, config)
}

// authorities returns the certificates that the server's own is checked with.
func (p *providers) authorities(ctx context.Context, key storeKey, server *v1.KubernetesServer) ([]byte, error) {
	if len(server.CABundle) > 0 || server.CAProvider == nil {
		return server.CABundle, nil
	}
	from := server.CAProvider
	if from.Type == "Secret" {
		return p.selected(ctx, key, "server.caProvider", v1.SecretKeySelector{Name: from.Name, Key: from.Key, Namespace: from.Namespace})
	}
	name, err := key.local("server.caProvider", from.Name, from.Namespace)
	if err != nil {
		return nil, err
	}
	var config corev1.ConfigMap
	if err := p.client.Get(ctx, name, &config); err != nil {
		return nil, fmt.Errorf("read the ConfigMap %s with the certificates of spec.provider.kubernetes.server: %w", name, err)
	}
	if config.Data[from.Key] == "" {
		return nil, fmt.Errorf("the ConfigMap %s has no certificates in its key %q", name, from.Key)
	}
	return []byte(config.Data[from.Key]), nil
}

func (p *providers) login(ctx context.Context, key storeKey, auth *v1.KubernetesAuth, config *rest.Config) error {
	var err error
	switch {
	case auth.Token != nil:
		var token []byte
		token, err = p.selected(ctx, key, "auth.token.bearerToken", auth.Token.BearerToken)
		config.BearerToken = string(token)
	case auth.Cert != nil:
		if config.CertData, err = p.selected(ctx, key, "auth.cert.clientCert", auth.Cert.ClientCert); err == nil {
			config.KeyData, err = p.selected(ctx, key, "auth.cert.clientKey", auth.Cert.ClientKey)
		}
	case auth.ServiceAccount != nil:
		config.BearerToken, err = p.serviceAccountToken(ctx, key, *auth.ServiceAccount)
	default:
		err = errors.New("spec.provider.kubernetes.auth names none of token, cert, serviceAccount")
	}
	return err
}

// issuedToken is a ServiceAccount's token, good until its end.
type issuedToken struct {
	account string
	token   string
	until   time.Time
}

// serviceAccountToken returns a token of a ServiceAccount of this cluster.
func (p *providers) serviceAccountToken(ctx context.Context, key storeKey, of v1.ServiceAccountSelector) (string, error) {
	name, err := key.local("auth.serviceAccount", of.Name, of.Namespace)
	if err != nil {
		return "", err
	}
	account, err := json.Marshal([]any{name, of.Audiences})
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	issued := p.tokens[key]
	p.mu.Unlock()
	if issued.account == string(account) && time.Now().Before(issued.until) {
		return issued.token, nil
	}
	seconds := int64(tokenLifetime / time.Second)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: of.Audiences, ExpirationSeconds: &seconds}}
	serviceAccount := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
	if err := p.client.SubResource("token").Create(ctx, serviceAccount, request); err != nil {
		return "", fmt.Errorf("ask for a token of the ServiceAccount %s: %w", name, err)
	}
	p.mu.Lock()
	p.tokens[key] = issuedToken{string(account), request.Status.Token, time.Now().Add(tokenLifetime / 2)}
	p.mu.Unlock()
	return request.Status.Token, nil
}

// selected reads one key of a Secret; field says where in spec.provider.kubernetes
// it is named.
func (p *providers) selected(ctx context.Context, key storeKey, field string, ref v1.SecretKeySelector) ([]byte, error) {
	name, err := key.local(field, ref.Name, ref.Namespace)
	if err != nil {
		return nil, err
	}
	var secret corev1.Secret
	if err := p.client.Get(ctx, name, &secret); err != nil {
		return nil, fmt.Errorf("read the Secret %s that spec.provider.kubernetes.%s names: %w", name, field, err)
	}
	value := secret.Data[ref.Key]
	if len(value) == 0 {
		return nil, fmt.Errorf("the Secret %s that spec.provider.kubernetes.%s names has no key %q", name, field, ref.Key)
	}
	return value, nil
}

// local resolves a name that a store refers to: a SecretStore to its own
// namespace only, a ClusterSecretStore to the one that it says.
func (k storeKey) local(field, name string, namespace *string) (types.NamespacedName, error) {
	switch {
	case name == "":
		return types.NamespacedName{}, fmt.Errorf("spec.provider.kubernetes.%s has no name", field)
	case k.kind == v1.SecretStoreKind:
		return types.NamespacedName{Namespace: k.namespace, Name: name}, nil
	case namespace == nil || *namespace == "":
		return types.NamespacedName{}, fmt.Errorf("spec.provider.kubernetes.%s has no namespace", field)
	}
	return types.NamespacedName{Namespace: *namespace, Name: name}, nil
}
