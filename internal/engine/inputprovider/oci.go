package inputprovider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/fluxcd/pkg/runtime/secrets"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"hearth/internal/render/resourceset"
)

// maxTags bounds how many tags of a repository are looked at.
const maxTags = 100_000

// ociTags lists the tags of an OCI repository with their digests.
func (w *walk) ociTags(ctx context.Context, c *connection, f *filter) ([]map[string]any, error) {
	var options []name.Option
	if w.Object.Spec.Insecure && c.tls == nil {
		options = append(options, name.Insecure)
	}
	repository, err := name.NewRepository(strings.TrimPrefix(w.Object.Spec.URL, "oci://"), options...)
	if err != nil {
		return nil, fmt.Errorf("spec.url is no OCI repository: %w", err)
	}
	keys, err := w.registryKeys(ctx, c)
	if err != nil {
		return nil, err
	}
	puller, err := remote.NewPuller(remote.WithTransport(c.http.Transport), remote.WithAuthFromKeychain(keys), remote.WithUserAgent("hearth"))
	if err != nil {
		return nil, err
	}
	lister, err := puller.Lister(ctx, repository)
	if err != nil {
		return nil, fmt.Errorf("failed to list OCI tags for '%s': %w", repository, err)
	}
	var tags []string
	for lister.HasNext() {
		page, err := lister.Next(ctx)
		if err != nil {
			return nil, fmt.Errorf("failed to list OCI tags for '%s': %w", repository, err)
		}
		if tags = append(tags, page.Tags...); len(tags) > maxTags {
			return nil, fmt.Errorf("the OCI repository '%s' has more than %d tags", repository, maxTags)
		}
	}
	sets := []map[string]any{}
	for _, tag := range newest(f, tags, func(tag string) string { return tag }) {
		at, err := puller.Head(ctx, repository.Tag(tag))
		if err != nil {
			return nil, fmt.Errorf("failed to get digest for tag '%s' in repository '%s': %w", tag, repository, err)
		}
		sets = append(sets, map[string]any{"id": resourceset.ID(tag), "tag": tag, "digest": at.Digest.String()})
	}
	return sets, nil
}

// keys are the credentials of registries by host.
type keys map[string]authn.AuthConfig

// Resolve returns the credentials for a registry, or for nobody.
func (k keys) Resolve(resource authn.Resource) (authn.Authenticator, error) {
	host := resource.RegistryStr()
	aliases := []string{host}
	if host == name.DefaultRegistry {
		aliases = append(aliases, "docker.io", "registry-1.docker.io")
	}
	for _, alias := range aliases {
		if found, ok := k[alias]; ok {
			return authn.FromConfig(found), nil
		}
	}
	return authn.Anonymous, nil
}

// registryKeys reads the pull secrets of the provider and its service account.
func (w *walk) registryKeys(ctx context.Context, c *connection) (keys, error) {
	all := keys{}
	if c.secret != nil {
		if err := all.add(c.secret); err != nil {
			return nil, fmt.Errorf("secret '%s/%s': %w", w.Key.Namespace, w.Object.Spec.SecretRef.Name, err)
		}
	}
	if account := w.Object.Spec.ServiceAccountName; account != "" {
		found, err := secrets.PullSecretsFromServiceAccountRef(ctx, w.client, types.NamespacedName{Namespace: w.Key.Namespace, Name: account})
		if err != nil {
			return nil, err
		}
		for _, secret := range found {
			if err := all.add(secret.Data); err != nil {
				return nil, fmt.Errorf("secret '%s/%s': %w", secret.Namespace, secret.Name, err)
			}
		}
	}
	return all, nil
}

// add reads a pull secret. Its errors cite nothing of it.
func (k keys) add(secret map[string][]byte) error {
	var config struct {
		Auths map[string]authn.AuthConfig `json:"auths"`
	}
	text, ok := secret[corev1.DockerConfigJsonKey]
	if !ok {
		return fmt.Errorf("key '%s' is missing", corev1.DockerConfigJsonKey)
	}
	if json.Unmarshal(text, &config) != nil {
		return errors.New("cannot be read as an image pull secret")
	}
	for server, login := range config.Auths {
		host := strings.TrimPrefix(strings.TrimPrefix(server, "https://"), "http://")
		host, _, _ = strings.Cut(host, "/")
		if _, known := k[host]; !known {
			k[host] = login
		}
	}
	return nil
}
