// Package signature verifies who signed what an OCI registry holds, as the field
// verify of OCIRepositories and HelmCharts asks for it.
//
// With the provider cosign the signer is known by one of the public keys in a
// Secret, or by an identity in a certificate; whose certificates count is said
// by a trusted root in another Secret, or else it is the public Sigstore's. With the provider notation a Secret holds
// a trust policy and certificates. How signatures are read is left to package
// oci of room source.
package signature

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/source/oci"
)

// The keys of the Secrets.
const (
	policyKey      = "trustpolicy.json"
	trustedRootKey = "trusted_root.json"
	publicKeyEnd   = ".pub"
)

// Check is what an object of a namespace asks for.
type Check struct {
	Client    client.Reader
	Namespace string
	Spec      sourcev1.OCIRepositoryVerification
}

// Verify checks the signatures of a manifest. Verified is false without an
// error where a trust policy does not insist on a signature. The error names
// the provider.
func (c Check) Verify(ctx context.Context, repository *oci.Repository, digest v1.Hash) (verified bool, err error) {
	provider := c.Spec.Provider
	switch {
	case provider == "notation":
		verified, err = c.notation(ctx, repository, digest)
	case provider != "cosign" && provider != "":
		err = fmt.Errorf("unsupported verification provider: %s", provider)
	case c.Spec.SecretRef != nil:
		verified, err = true, c.keys(ctx, repository, digest)
	default:
		provider += " keyless"
		verified, err = true, c.identity(ctx, repository, digest)
	}
	if err != nil {
		return false, fmt.Errorf("failed to verify the signature using provider '%s': %w", provider, err)
	}
	return verified, nil
}

func (c Check) keys(ctx context.Context, repository *oci.Repository, digest v1.Hash) error {
	secret, err := c.secret(ctx, c.Spec.SecretRef)
	if err != nil {
		return err
	}
	var keys []oci.Key
	for _, name := range slices.Sorted(maps.Keys(secret.Data)) {
		if !strings.HasSuffix(name, publicKeyEnd) {
			continue
		}
		key, err := oci.ParseKey(secret.Data[name])
		if err != nil {
			return fmt.Errorf("the key '%s' of secret '%s/%s': %w", name, secret.Namespace, secret.Name, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return fmt.Errorf("no public keys found in secret '%s/%s'", secret.Namespace, secret.Name)
	}
	return repository.VerifyKeys(ctx, digest, keys)
}

// identity verifies by a certificate that names who signed.
func (c Check) identity(ctx context.Context, repository *oci.Repository, digest v1.Hash) error {
	root, err := c.trustedRoot(ctx)
	if err != nil {
		return err
	}
	identities := make([]oci.Identity, len(c.Spec.MatchOIDCIdentity))
	for i, match := range c.Spec.MatchOIDCIdentity {
		if identities[i], err = oci.ParseIdentity(match.Issuer, match.Subject); err != nil {
			return fmt.Errorf("spec.verify.matchOIDCIdentity[%d]: %w", i, err)
		}
	}
	return repository.VerifyIdentity(ctx, digest, root, identities)
}

// trustedRoot is whose certificates count: the public Sigstore's, unless a
// Secret says otherwise.
func (c Check) trustedRoot(ctx context.Context) (oci.TrustedRoot, error) {
	if c.Spec.TrustedRootSecretRef == nil {
		return oci.PublicGood()
	}
	secret, err := c.secret(ctx, c.Spec.TrustedRootSecretRef)
	if err != nil {
		return oci.TrustedRoot{}, err
	}
	root, err := oci.ParseTrustedRoot(secret.Data[trustedRootKey])
	if err != nil {
		return root, fmt.Errorf("failed to read trusted root from secret '%s/%s': %w", secret.Namespace, secret.Name, err)
	}
	return root, nil
}

func (c Check) notation(ctx context.Context, repository *oci.Repository, digest v1.Hash) (bool, error) {
	if c.Spec.SecretRef == nil {
		return false, errors.New("verification secret cannot be empty: name one with a trust policy and certificates in spec.verify.secretRef")
	}
	secret, err := c.secret(ctx, c.Spec.SecretRef)
	if err != nil {
		return false, err
	}
	policy, ok := secret.Data[policyKey]
	if !ok {
		return false, fmt.Errorf("'%s' not found in secret '%s/%s'", policyKey, secret.Namespace, secret.Name)
	}
	var certificates [][]byte
	for _, name := range slices.Sorted(maps.Keys(secret.Data)) {
		if strings.HasSuffix(name, ".crt") || strings.HasSuffix(name, ".pem") {
			certificates = append(certificates, secret.Data[name])
		}
	}
	trusted, err := oci.ParseNotation(policy, certificates)
	if err != nil {
		return false, fmt.Errorf("secret '%s/%s': %w", secret.Namespace, secret.Name, err)
	}
	return repository.VerifyNotation(ctx, digest, trusted)
}

func (c Check) secret(ctx context.Context, ref *meta.LocalObjectReference) (*corev1.Secret, error) {
	key := client.ObjectKey{Namespace: c.Namespace, Name: ref.Name}
	secret := &corev1.Secret{}
	if err := c.Client.Get(ctx, key, secret); err != nil {
		return nil, fmt.Errorf("failed to get secret '%s': %w", key, err)
	}
	return secret, nil
}
