package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// A Sigstore bundle holds a signed statement and what is needed to verify it.
// https://docs.sigstore.dev/about/bundle/
const (
	bundlePrefix  = "application/vnd.dev.sigstore.bundle."
	bundleType    = bundlePrefix + "v0.3+json"
	inTotoPayload = "application/vnd.in-toto+json"
	inTotoPrefix  = "https://in-toto.io/Statement/"
	// signPredicate is what cosign says about an image that it signs. Others
	// that it can attest say something about it, not that it is approved.
	signPredicate = "https://sigstore.dev/cosign/sign/v1"
)

// bundle is a Sigstore bundle, in the parts that are read here.
type bundle struct {
	MediaType string           `json:"mediaType"`
	Material  bundleMaterial   `json:"verificationMaterial"`
	Envelope  *signingEnvelope `json:"dsseEnvelope"`
}

type bundleMaterial struct {
	Certificate *struct {
		Raw []byte `json:"rawBytes"`
	} `json:"certificate"`
	Entries []logEntry `json:"tlogEntries"`
}

// signingEnvelope is an envelope as of https://github.com/secure-systems-lab/dsse.
type signingEnvelope struct {
	Payload     []byte `json:"payload"`
	PayloadType string `json:"payloadType"`
	Signatures  []struct {
		Signature []byte `json:"sig"`
	} `json:"signatures"`
}

// bundles fetches the bundles that refer to a manifest. What cannot be read is
// none.
func (r *Repository) bundles(ctx context.Context, digest v1.Hash) ([]bundle, error) {
	referring, err := r.referrers(ctx, digest, bundleType)
	if err != nil {
		return nil, fmt.Errorf("fetch what refers to %s: %w", digest, err)
	}
	var bundles []bundle
	for _, referrer := range referring {
		layers, err := r.layersOf(ctx, r.name.Digest(referrer.Digest.String()))
		if err != nil {
			return nil, fmt.Errorf("fetch the bundle %s: %w", referrer.Digest, err)
		}
		for _, layer := range layers {
			if string(layer.MediaType) != bundleType {
				continue
			}
			content, err := r.read(ctx, layer, maxSignature)
			if err != nil {
				return nil, fmt.Errorf("fetch the bundle %s: %w", referrer.Digest, err)
			}
			if b, err := parseBundle(content); err == nil {
				bundles = append(bundles, b)
			}
		}
	}
	return bundles, nil
}

func parseBundle(content []byte) (bundle, error) {
	var b bundle
	if err := json.Unmarshal(content, &b); err != nil {
		return b, errors.New("the bundle cannot be read")
	}
	if !strings.HasPrefix(b.MediaType, bundlePrefix) || b.Envelope == nil || len(b.Envelope.Signatures) != 1 {
		return b, errors.New("the bundle holds no envelope with one signature")
	}
	return b, nil
}

// verifyKeys checks that one of the keys signed that the digest is meant.
func (b bundle) verifyKeys(digest v1.Hash, keys []Key) error {
	if !signedBy(keys, b.Envelope.message(), b.Envelope.Signatures[0].Signature) {
		return errors.New("a bundle's signature is by none of the keys")
	}
	return b.Envelope.names(digest)
}

// message is what the envelope's signature is over.
func (e *signingEnvelope) message() []byte {
	head := "DSSEv1 " + strconv.Itoa(len(e.PayloadType)) + " " + e.PayloadType + " " + strconv.Itoa(len(e.Payload)) + " "
	return append([]byte(head), e.Payload...)
}

// names checks that the statement is a signature of the manifest.
func (e *signingEnvelope) names(digest v1.Hash) error {
	var statement struct {
		Type      string `json:"_type"`
		Predicate string `json:"predicateType"`
		Subjects  []struct {
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
	}
	if e.PayloadType != inTotoPayload || json.Unmarshal(e.Payload, &statement) != nil || !strings.HasPrefix(statement.Type, inTotoPrefix) {
		return errors.New("a bundle holds no statement that can be read")
	}
	if statement.Predicate != signPredicate {
		return fmt.Errorf("a bundle holds a statement of another kind, %q", shortened(statement.Predicate))
	}
	for _, subject := range statement.Subjects {
		if subject.Digest[digest.Algorithm] == digest.Hex {
			return nil
		}
	}
	return errors.New("a bundle is about another manifest")
}
