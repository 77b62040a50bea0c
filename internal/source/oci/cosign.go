package oci

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// What cosign calls its signatures: a manifest at a tag that is named for the
// digest, or one that refers to the artifact, with a layer for each signature.
const (
	cosignSignature  = "dev.cosignproject.cosign/signature"
	cosignLayer      = "application/vnd.dev.cosign.simplesigning.v1+json"
	cosignReferrer   = "application/vnd.dev.cosign.artifact.sig.v1+json"
	cosignTagSuffix  = ".sig"
	cosignClaim      = "cosign container image signature"
	maxSimpleSigning = 64 << 10
)

// ErrUnsigned says that there is no signature by who is trusted.
var ErrUnsigned = errors.New("no matching signatures were found")

// VerifyKeys looks for a signature of the manifest by one of the keys, as
// cosign makes them: beside the manifest, or as a bundle. The error is
// ErrUnsigned where there is none, with what was wrong with those that there
// are.
func (r *Repository) VerifyKeys(ctx context.Context, digest v1.Hash, keys []Key) error {
	signatures, err := r.simpleSignatures(ctx, digest)
	if err != nil {
		return err
	}
	var wrong []error
	for _, signature := range signatures {
		if err := signature.verify(digest, keys); err != nil {
			wrong = append(wrong, err)
			continue
		}
		return nil
	}
	bundles, err := r.bundles(ctx, digest)
	if err != nil {
		return err
	}
	for _, bundle := range bundles {
		if err := bundle.verifyKeys(digest, keys); err != nil {
			wrong = append(wrong, err)
			continue
		}
		return nil
	}
	return unsigned(digest, wrong)
}

func unsigned(digest v1.Hash, wrong []error) error {
	err := fmt.Errorf("%w for '%s'", ErrUnsigned, digest)
	if len(wrong) > 0 { // one says enough
		err = fmt.Errorf("%w: %w", err, wrong[0])
	}
	return err
}

// simpleSignature is a signature over a statement that names a manifest.
type simpleSignature struct {
	statement, signature []byte
	annotations          map[string]string
}

// simpleSignatures fetches the signatures beside a manifest.
func (r *Repository) simpleSignatures(ctx context.Context, digest v1.Hash) ([]simpleSignature, error) {
	tag := r.name.Tag(digest.Algorithm + "-" + digest.Hex + cosignTagSuffix)
	layers, err := r.layersOf(ctx, tag)
	if err != nil {
		return nil, fmt.Errorf("fetch the signatures at %s: %w", tag.TagStr(), err)
	}
	referring, err := r.referrers(ctx, digest, cosignReferrer)
	if err != nil {
		return nil, fmt.Errorf("fetch what refers to %s: %w", digest, err)
	}
	for _, referrer := range referring {
		var at name.Reference = r.name.Digest(referrer.Digest.String())
		more, err := r.layersOf(ctx, at)
		if err != nil {
			return nil, fmt.Errorf("fetch the signature %s: %w", referrer.Digest, err)
		}
		layers = append(layers, more...)
	}
	var signatures []simpleSignature
	for _, layer := range layers {
		encoded := layer.Annotations[cosignSignature]
		signature, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || encoded == "" || string(layer.MediaType) != cosignLayer || len(signatures) >= maxSignatures {
			continue
		}
		statement, err := r.read(ctx, layer, maxSimpleSigning)
		if err != nil {
			return nil, fmt.Errorf("fetch what was signed of %s: %w", digest, err)
		}
		signatures = append(signatures, simpleSignature{statement, signature, layer.Annotations})
	}
	return signatures, nil
}

// verify checks that one of the keys signed that the digest is meant.
func (s simpleSignature) verify(digest v1.Hash, keys []Key) error {
	if !signedBy(keys, s.statement, s.signature) {
		return errors.New("a signature is by none of the keys")
	}
	return s.names(digest)
}

func (s simpleSignature) names(digest v1.Hash) error {
	var statement struct {
		Critical struct {
			Image struct {
				Digest string `json:"docker-manifest-digest"`
			} `json:"image"`
			Type string `json:"type"`
		} `json:"critical"`
	}
	if err := json.Unmarshal(s.statement, &statement); err != nil {
		return errors.New("what was signed cannot be read")
	}
	if !strings.EqualFold(statement.Critical.Type, cosignClaim) {
		return errors.New("what was signed is no statement about an image")
	}
	if statement.Critical.Image.Digest != digest.String() {
		return fmt.Errorf("what was signed is another manifest, %q", shortened(statement.Critical.Image.Digest))
	}
	return nil
}

func signedBy(keys []Key, message, signature []byte) bool {
	for _, key := range keys {
		if key.verifies(message, signature) {
			return true
		}
	}
	return false
}
