package ocitest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// NewKey makes a key as cosign does, and its public part in PEM.
func NewKey(t testing.TB) (crypto.Signer, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key, PublicKey(t, key)
}

// PublicKey is a key's public part in PEM.
func PublicKey(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// Signature signs a message with the hash that cosign uses.
func Signature(t testing.TB, key crypto.Signer, message []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(message)
	signed, hash := sum[:], crypto.SHA256
	if _, ok := key.(ed25519.PrivateKey); ok {
		signed, hash = message, 0
	}
	signature, err := key.Sign(rand.Reader, signed, hash)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// Statement is what cosign signs of a manifest.
func Statement(digest v1.Hash) []byte {
	return fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":"example"},"image":{"docker-manifest-digest":%q},"type":"cosign container image signature"},"optional":null}`, digest)
}

// SignatureImage is a manifest that holds a signature of a statement.
func SignatureImage(t testing.TB, statement, signature []byte) v1.Image {
	t.Helper()
	return NotedSignatureImage(t, statement, signature, nil)
}

// NotedSignatureImage is a SignatureImage with more notes about it.
func NotedSignatureImage(t testing.TB, statement, signature []byte, notes map[string]string) v1.Image {
	t.Helper()
	annotations := map[string]string{"dev.cosignproject.cosign/signature": base64.StdEncoding.EncodeToString(signature)}
	maps.Copy(annotations, notes)
	image, err := mutate.Append(Image(t, nil), mutate.Addendum{
		Layer:       static.NewLayer(statement, "application/vnd.dev.cosign.simplesigning.v1+json"),
		Annotations: annotations,
	})
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// Sign puts a signature of a manifest beside it.
func (r *Registry) Sign(repository string, digest v1.Hash, key crypto.Signer) {
	r.t.Helper()
	statement := Statement(digest)
	r.PutSignature(repository, digest, SignatureImage(r.t, statement, Signature(r.t, key, statement)))
}

// PutSignature puts what holds a signature where cosign looks for one.
func (r *Registry) PutSignature(repository string, digest v1.Hash, image v1.Image) {
	r.t.Helper()
	r.Put(r.Repository(repository).Tag(digest.Algorithm+"-"+digest.Hex+".sig"), image)
}

// Refer puts a manifest of a type that refers to another one.
func (r *Registry) Refer(repository string, to v1.Hash, artifactType string, image v1.Image) {
	r.t.Helper()
	image = mutate.ConfigMediaType(image, types.MediaType(artifactType))
	subject := v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: to, Size: 1}
	image = mutate.Subject(image, subject).(v1.Image)
	r.Put(r.Repository(repository).Digest(Digest(r.t, image).String()), image)
}

// Envelope is a signed statement about a manifest, as cosign puts it into a
// bundle.
func Envelope(t testing.TB, key crypto.Signer, predicate string, digest v1.Hash) map[string]any {
	t.Helper()
	const payloadType = "application/vnd.in-toto+json"
	payload := fmt.Appendf(nil, `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":%q}}],"predicateType":%q,"predicate":{}}`, digest.Hex, predicate)
	message := fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
	return map[string]any{
		"payload": payload, "payloadType": payloadType,
		"signatures": []any{map[string]any{"sig": Signature(t, key, message)}},
	}
}

// SignPredicate is what cosign calls the statement that an image is signed.
const SignPredicate = "https://sigstore.dev/cosign/sign/v1"

const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// PutBundle puts a bundle that refers to a manifest. The material says how the
// signer is known.
func (r *Registry) PutBundle(repository string, digest v1.Hash, envelope, material map[string]any) {
	r.t.Helper()
	content, err := json.Marshal(map[string]any{"mediaType": bundleType, "verificationMaterial": material, "dsseEnvelope": envelope})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Refer(repository, digest, bundleType, Image(r.t, nil, Layer{bundleType, content}))
}
