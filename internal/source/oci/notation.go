package oci

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/notaryproject/notation-core-go/revocation"
	"github.com/notaryproject/notation-core-go/revocation/crl"
	"github.com/notaryproject/notation-core-go/revocation/purpose"
	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Notation is whom to trust, as Notation's specification says it: a trust
// policy and the certificates of all its trust stores.
// https://github.com/notaryproject/specifications/blob/main/specs/trust-store-trust-policy.md
type Notation struct {
	policy       *trustpolicy.Document
	certificates trustStore
}

const (
	maxPolicy = 1 << 20
	// signatureAttempts is how many signatures of a manifest are looked at, as
	// in Flux.
	signatureAttempts = 3
)

// ParseNotation reads a trust policy in JSON, and certificates in PEM or DER.
func ParseNotation(policy []byte, certificates [][]byte) (Notation, error) {
	var n Notation
	if len(policy) > maxPolicy {
		return n, errors.New("the trust policy is too large")
	}
	if err := json.Unmarshal(policy, &n.policy); err != nil || n.policy == nil {
		return n, errors.New("the trust policy is no JSON that can be read")
	}
	// What is not verified needs nobody to trust; Notation would not have both.
	for i := range n.policy.TrustPolicies {
		if statement := &n.policy.TrustPolicies[i]; statement.SignatureVerification.VerificationLevel == trustpolicy.LevelSkip.Name {
			statement.TrustStores, statement.TrustedIdentities = nil, nil
		}
	}
	if err := n.policy.Validate(); err != nil {
		return n, fmt.Errorf("the trust policy: %w", err)
	}
	for _, content := range certificates {
		parsed, err := parseCertificates(content)
		if err != nil {
			return n, errors.New("a certificate can be read neither as PEM nor as DER")
		}
		n.certificates = append(n.certificates, parsed...)
	}
	if len(n.certificates) == 0 {
		return n, errors.New("there is no certificate")
	}
	return n, nil
}

func parseCertificates(content []byte) ([]*x509.Certificate, error) {
	if block, _ := pem.Decode(content); block == nil {
		return x509.ParseCertificates(content)
	}
	var all []*x509.Certificate
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		parsed, err := x509.ParseCertificates(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, parsed...)
	}
	return all, nil
}

// trustStore answers for every trust store that the policy names.
type trustStore []*x509.Certificate

func (s trustStore) GetCertificates(context.Context, truststore.Type, string) ([]*x509.Certificate, error) {
	return s, nil
}

// VerifyNotation verifies the manifest's signatures under a trust policy.
// Verified is false where the policy does not ask for a signature, or takes one
// that it only audits.
func (r *Repository) VerifyNotation(ctx context.Context, digest v1.Hash, trusted Notation) (verified bool, err error) {
	revoked, err := r.revocation()
	if err != nil {
		return false, err
	}
	v, err := verifier.NewWithOptions(trusted.policy, trusted.certificates, nil, verifier.VerifierOptions{RevocationCodeSigningValidator: revoked})
	if err != nil {
		return false, err
	}
	_, outcomes, err := notation.Verify(ctx, v, notary{r}, notation.VerifyOptions{
		ArtifactReference: r.name.Digest(digest.String()).Name(), MaxSignatureAttempts: signatureAttempts,
	})
	if err != nil {
		return false, plain(ctx, err)
	}
	if len(outcomes) == 0 {
		return false, unsigned(digest, nil)
	}
	if outcomes[0].VerificationLevel.Name == trustpolicy.LevelSkip.Name {
		return false, nil
	}
	for _, result := range outcomes[0].VerificationResults {
		if result.Error != nil && result.Type == trustpolicy.TypeAuthenticity {
			return false, nil
		}
	}
	return true, nil
}

// revocation asks, under the same guard as the registry, whether certificates
// were revoked.
func (r *Repository) revocation() (revocation.Validator, error) {
	client := &http.Client{Transport: bounded{r.transport, false}, Timeout: 10 * time.Second}
	lists, err := crl.NewHTTPFetcher(client)
	if err != nil {
		return nil, err
	}
	return revocation.NewWithOptions(revocation.Options{OCSPHTTPClient: client, CRLFetcher: lists, CertChainPurpose: purpose.CodeSigning})
}

// notary shows a repository to Notation.
type notary struct{ *Repository }

var _ registry.Repository = notary{}

func (n notary) Resolve(ctx context.Context, reference string) (ocispec.Descriptor, error) {
	hash, err := v1.NewHash(reference)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	found, err := n.puller.Get(ctx, n.name.Digest(hash.String()))
	if err != nil {
		return ocispec.Descriptor{}, plain(ctx, err)
	}
	return descriptor(found.Descriptor), nil
}

func (n notary) ListSignatures(ctx context.Context, of ocispec.Descriptor, each func([]ocispec.Descriptor) error) error {
	hash, err := v1.NewHash(of.Digest.String())
	if err != nil {
		return err
	}
	found, err := n.referrers(ctx, hash, registry.ArtifactTypeNotation)
	if err != nil {
		return err
	}
	signatures := make([]ocispec.Descriptor, len(found))
	for i := range found {
		signatures[i] = descriptor(found[i])
	}
	return each(signatures)
}

func (n notary) FetchSignatureBlob(ctx context.Context, signature ocispec.Descriptor) ([]byte, ocispec.Descriptor, error) {
	layers, err := n.layersOf(ctx, n.name.Digest(signature.Digest.String()))
	if err != nil {
		return nil, ocispec.Descriptor{}, err
	}
	if len(layers) != 1 {
		return nil, ocispec.Descriptor{}, fmt.Errorf("the signature %s has not one layer, but %d", signature.Digest, len(layers))
	}
	content, err := n.read(ctx, layers[0], maxSignature)
	return content, descriptor(layers[0]), err
}

func (notary) PushSignature(context.Context, string, []byte, ocispec.Descriptor, map[string]string) (blob, manifest ocispec.Descriptor, err error) {
	return blob, manifest, errors.New("signatures are verified here, not made")
}

func descriptor(d v1.Descriptor) ocispec.Descriptor {
	return ocispec.Descriptor{
		MediaType: string(d.MediaType), Digest: digest.Digest(d.Digest.String()), Size: d.Size,
		Annotations: d.Annotations, ArtifactType: d.ArtifactType,
	}
}
