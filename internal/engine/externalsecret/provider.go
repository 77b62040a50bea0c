package externalsecret

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/onepassword"
)

// provider reads from one store. What it returns is no older than since.
type provider interface {
	// validate reports whether the store can be read from.
	validate(ctx context.Context) error
	capabilities() v1.Capabilities
	// value returns one value.
	value(ctx context.Context, ref v1.RemoteRef, since time.Time) ([]byte, error)
	// fields returns all values of one item, by name.
	fields(ctx context.Context, ref v1.RemoteRef, since time.Time) (map[string][]byte, error)
	// find returns the values that match, by name.
	find(ctx context.Context, f v1.Find, since time.Time) (map[string][]byte, error)
}

// missingError is something that a store does not have.
type missingError string

func (e missingError) Error() string { return string(e) }

// isMissing reports whether a store has not, or has no longer, what was asked.
func isMissing(err error) bool {
	var (
		missing missingError
		item    *onepassword.NoItemError
		field   *onepassword.NoFieldError
		file    *onepassword.NoFileError
	)
	return errors.As(err, &missing) || errors.As(err, &item) || errors.As(err, &field) || errors.As(err, &file)
}

// providers opens stores, and keeps the clients of those it opened.
type providers struct {
	o      Options
	client client.Client
	live   client.Reader // past the cache

	mu       sync.Mutex
	clients  map[storeKey]*pooled
	clusters map[storeKey]*otherCluster
	tokens   map[storeKey]issuedToken
	pushed   map[storeKey]*pushedValues
}

func newProviders(o Options, c client.Client, live client.Reader) *providers {
	return &providers{
		o: o, client: c, live: live,
		clients: map[storeKey]*pooled{}, clusters: map[storeKey]*otherCluster{},
		tokens: map[storeKey]issuedToken{}, pushed: map[storeKey]*pushedValues{},
	}
}

// pooled is a client and what it was made of.
type pooled struct {
	made   [sha256.Size]byte
	client *onepassword.Client
}

// open returns the provider of a store, or an error if its settings, or what
// they refer to, are incomplete.
func (p *providers) open(ctx context.Context, store v1.Store) (provider, error) {
	opened, err := p.openOnce(ctx, store)
	if err != nil {
		return nil, err
	}
	return withRetries(opened, store.StoreSpec().RetrySettings)
}

// openOnce returns the provider that asks once.
func (p *providers) openOnce(ctx context.Context, store v1.Store) (provider, error) {
	settings := store.StoreSpec().Provider
	switch name := settings.Name(); name {
	case "":
		return nil, errors.New("spec.provider names no provider")
	case "onepassword":
		return p.openConnect(ctx, store, settings.OnePassword)
	case "kubernetes":
		return p.openCluster(ctx, store, settings.Kubernetes)
	case "fake":
		return &fakeProvider{settings.Fake, p.pushedTo(keyOf(store))}, nil
	default:
		return p.openPlayed(store, name)
	}
}

func (p *providers) openConnect(ctx context.Context, store v1.Store, settings *v1.OnePasswordProvider) (provider, error) {
	token, err := p.token(ctx, store)
	if err != nil {
		return nil, err
	}
	host := settings.ConnectHost
	url := host
	if p.o.Connect != nil {
		if elsewhere, itsToken, ok := p.o.Connect(host); ok {
			url = elsewhere
			if itsToken != "" {
				token = itsToken
			}
		}
	}
	c := p.pooledClient(keyOf(store), onepassword.ClientOptions{URL: url, Name: host, Token: token, Vaults: settings.Vaults})
	return &connectProvider{client: c, host: host, available: p.o.Available, name: "onepassword"}, nil
}

// token reads a store's token from its Secret.
func (p *providers) token(ctx context.Context, store v1.Store) (string, error) {
	name, key, ok := tokenSecret(store)
	if !ok {
		return "", errors.New("spec.provider.onepassword.auth.secretRef.connectTokenSecretRef names no Secret")
	}
	if name.Namespace == "" {
		return "", fmt.Errorf("the reference to the token's Secret %q has no namespace", name.Name)
	}
	var secret corev1.Secret
	if err := p.client.Get(ctx, name, &secret); err != nil {
		if apierrors.IsNotFound(err) {
			return "", fmt.Errorf("the Secret %s with the Connect token does not exist", name)
		}
		return "", fmt.Errorf("read the Secret %s with the Connect token: %w", name, err)
	}
	token := string(secret.Data[key])
	if token == "" {
		return "", fmt.Errorf("the Secret %s has no Connect token in its key %q", name, key)
	}
	return token, nil
}

// openPlayed plays the store of a provider that Hearth does not speak from
// the vaults of a Connect server, if there is one for that.
func (p *providers) openPlayed(store v1.Store, name string) (provider, error) {
	unknown := fmt.Errorf("the provider %s is none that Hearth speaks (onepassword, kubernetes, fake)", name)
	if p.o.Connect == nil {
		return nil, unknown
	}
	url, token, ok := p.o.Connect("")
	if !ok {
		return nil, unknown
	}
	options := onepassword.ClientOptions{URL: url, Token: token}
	var settings struct{ Vault string }
	if json.Unmarshal(store.StoreSpec().Provider.Other[name], &settings) == nil && name == "onepasswordSDK" && settings.Vault != "" {
		options.Vaults = map[string]int{settings.Vault: 1}
	} else {
		options.AllVaults = true
	}
	key := keyOf(store)
	p.o.Assumptions.Add(domain.AssumedOperator, key.String(), "its provider "+name+" is played from the vault")
	return &connectProvider{client: p.pooledClient(key, options), name: name}, nil
}

// pooledClient returns the store's client, a new one if anything about it changed.
func (p *providers) pooledClient(key storeKey, o onepassword.ClientOptions) *onepassword.Client {
	made := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %v %v", o.URL, o.Name, o.Token, o.Vaults, o.AllVaults))
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.clients[key]
	if old != nil && old.made == made {
		return old.client
	}
	if old != nil {
		old.client.Close()
	}
	c := onepassword.NewClient(o)
	p.clients[key] = &pooled{made: made, client: c}
	return c
}

// pushedTo returns what was pushed to a fake store.
func (p *providers) pushedTo(key storeKey) *pushedValues {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pushed[key] == nil {
		p.pushed[key] = &pushedValues{of: map[string][]byte{}}
	}
	return p.pushed[key]
}

// forget closes a store's client, and forgets all that was kept for it.
func (p *providers) forget(key storeKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.clusters, key)
	delete(p.tokens, key)
	delete(p.pushed, key)
	if old := p.clients[key]; old != nil {
		old.client.Close()
		delete(p.clients, key)
	}
}

// inCluster returns the stores that read the Secrets of a namespace.
func (p *providers) inCluster(ctx context.Context, namespace string) []storeKey {
	var keys []storeKey
	for _, kind := range []string{v1.ClusterSecretStoreKind, v1.SecretStoreKind} {
		for _, store := range listStores(ctx, p.client, kind) {
			settings := store.StoreSpec().Provider
			if settings != nil && settings.Kubernetes != nil && isOwn(settings.Kubernetes) && remoteNamespace(settings.Kubernetes) == namespace {
				keys = append(keys, keyOf(store))
			}
		}
	}
	return keys
}
