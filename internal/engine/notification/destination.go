package notification

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	notificationv1beta3 "github.com/fluxcd/notification-controller/api/v1beta3"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/secrets"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"hearth/internal/source/githubapp"
)

// maxAddress bounds an address that comes from a Secret, in bytes.
const maxAddress = 2048

// destination is where one delivery goes: what a Provider and its Secrets say.
type destination struct {
	uid      string
	address  string
	channel  string
	username string // who posts, or who logs in where there is a password
	password string
	token    string
	key      []byte // the token to the last byte, to sign with
	headers  map[string]string
	secret   map[string][]byte
	statusID string // what a commit status is called

	guard   guard
	http    *http.Client
	proxied bool
	hidden  []string // what must not be told, longest first
	posted  *posted
	tokens  *githubapp.Tokens
}

// destination reads where a Provider leads, and with which credentials.
func (q *queue) destination(ctx context.Context, provider *notificationv1beta3.Provider) (*destination, error) {
	d := &destination{
		uid: string(provider.UID), address: provider.Spec.Address, channel: provider.Spec.Channel, username: provider.Spec.Username,
		guard: guard{private: q.o.AllowPrivate}, posted: q.posted, tokens: q.tokens,
	}
	login, err := q.secret(ctx, provider, provider.Spec.SecretRef)
	if err != nil {
		return nil, err
	}
	if err := d.login(login); err != nil {
		return nil, err
	}
	proxy, err := q.proxy(ctx, provider, login)
	if err != nil {
		return nil, err
	}
	trust, err := q.trust(ctx, provider, login)
	if err != nil {
		return nil, err
	}
	d.proxied = proxy != nil
	d.http = d.client(proxy, trust)
	d.hideValues(proxy)
	return d, nil
}

// secret reads a Secret beside the Provider; it is nil where none is named.
func (q *queue) secret(ctx context.Context, provider *notificationv1beta3.Provider, ref *meta.LocalObjectReference) (*corev1.Secret, error) {
	if ref == nil {
		return nil, nil
	}
	secret, key := &corev1.Secret{}, client.ObjectKey{Namespace: provider.Namespace, Name: ref.Name}
	if err := q.client.Get(ctx, key, secret); err != nil {
		return nil, fmt.Errorf("failed to get secret '%s': %w", key, err)
	}
	return secret, nil
}

// login takes address, credentials and headers from the Secret. Whitespace
// around them, such as the newline that ends a file, does not count.
func (d *destination) login(secret *corev1.Secret) error {
	if secret == nil {
		return nil
	}
	name := client.ObjectKeyFromObject(secret)
	value := func(key string) string { return strings.TrimSpace(string(secret.Data[key])) }
	if address := value("address"); address != "" {
		if len(address) > maxAddress {
			return permanent("invalid address in secret '%s': it is longer than %d bytes", name, maxAddress)
		}
		d.address = address
	}
	if raw, ok := secret.Data["headers"]; ok {
		if err := yaml.Unmarshal(raw, &d.headers); err != nil {
			return permanent("failed to read headers from secret '%s': the key 'headers' is no YAML map of strings", name)
		}
	}
	if user := value("username"); user != "" {
		d.username = user
	}
	d.token, d.password, d.secret = value(secrets.KeyToken), value("password"), secret.Data
	d.key = secret.Data[secrets.KeyToken]
	return nil
}

// proxy returns the proxy that deliveries take, nil for none.
func (q *queue) proxy(ctx context.Context, provider *notificationv1beta3.Provider, login *corev1.Secret) (*url.URL, error) {
	secret, err := q.secret(ctx, provider, provider.Spec.ProxySecretRef)
	if err != nil {
		return nil, err
	}
	if secret != nil {
		proxy, err := secrets.ProxyURLFromSecret(ctx, secret)
		if err != nil {
			return nil, permanent("the proxy in secret '%s' is no http or https URL under the key 'address'", client.ObjectKeyFromObject(secret))
		}
		return proxy, nil
	}
	address := provider.Spec.Proxy
	if login != nil && len(login.Data["proxy"]) > 0 {
		address = strings.TrimSpace(string(login.Data["proxy"]))
	}
	if address == "" {
		return nil, nil
	}
	proxy, err := url.Parse(address)
	if err != nil || proxy.Host == "" || proxy.Scheme != "http" && proxy.Scheme != "https" {
		return nil, permanent("the proxy is no http or https URL")
	}
	return proxy, nil
}

// trust returns which certificates count: those of certSecretRef, or, as with
// Flux, those that a forge's Secret holds beside the token.
func (q *queue) trust(ctx context.Context, provider *notificationv1beta3.Provider, login *corev1.Secret) (*tls.Config, error) {
	secret, err := q.secret(ctx, provider, provider.Spec.CertSecretRef)
	if err != nil {
		return nil, err
	}
	if secret == nil {
		if login == nil || !isForge(provider.Spec.Type) || len(login.Data[secrets.KeyCACert])+len(login.Data["caFile"]) == 0 {
			return nil, nil
		}
		secret = login
	}
	trust, err := secrets.TLSConfigFromSecret(ctx, secret)
	if err != nil {
		return nil, permanent("secret '%s' holds no usable certificates: it needs ca.crt, or tls.crt and tls.key, in PEM", client.ObjectKeyFromObject(secret))
	}
	return trust, nil
}

// url checks and returns the address as an http or https URL.
func (d *destination) url() (*url.URL, error) {
	if d.address == "" {
		return nil, permanent("the Provider has no address, neither in spec.address nor in its Secret")
	}
	u, err := url.ParseRequestURI(d.address)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, permanent("the Provider's address is no http or https URL")
	}
	return u, nil
}

// needToken returns the token, or else the password.
func (d *destination) needToken() (string, error) {
	switch {
	case d.token != "":
		return d.token, nil
	case d.password != "":
		return d.password, nil
	}
	return "", permanentError{errors.New("the Provider's Secret has no token")}
}

func (d *destination) close() { d.http.CloseIdleConnections() }
