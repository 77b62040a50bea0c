package oci

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"hearth/internal/source/ocitest"
)

func parsed(t *testing.T, key crypto.Signer) Key {
	t.Helper()
	public, err := ParseKey(ocitest.PublicKey(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return public
}

func TestVerifyKeys(t *testing.T) {
	owner, _ := ocitest.NewKey(t)
	stranger, _ := ocitest.NewKey(t)
	keys := []Key{parsed(t, stranger), parsed(t, owner)}
	other := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}
	layer := ocitest.Layer{MediaType: "text/plain", Content: []byte("content")}
	simple := func(r *ocitest.Registry, digest v1.Hash, key crypto.Signer, statement []byte) v1.Image {
		return ocitest.SignatureImage(t, statement, ocitest.Signature(t, key, statement))
	}
	for name, test := range map[string]struct {
		sign func(r *ocitest.Registry, digest v1.Hash)
		keys []Key
		says string
	}{
		"beside it": {sign: func(r *ocitest.Registry, d v1.Hash) { r.Sign("home", d, owner) }},
		"referring to it": {sign: func(r *ocitest.Registry, d v1.Hash) {
			r.Refer("home", d, cosignReferrer, simple(r, d, owner, ocitest.Statement(d)))
		}},
		"in a bundle": {sign: func(r *ocitest.Registry, d v1.Hash) {
			r.PutBundle("home", d, ocitest.Envelope(t, owner, ocitest.SignPredicate, d), nil)
		}},
		"in a bundle after a bad one": {sign: func(r *ocitest.Registry, d v1.Hash) {
			r.PutBundle("home", d, ocitest.Envelope(t, owner, ocitest.SignPredicate, other), nil)
			r.PutBundle("home", d, ocitest.Envelope(t, owner, ocitest.SignPredicate, d), nil)
		}},
		"not at all":       {sign: func(*ocitest.Registry, v1.Hash) {}, says: "no matching signatures were found"},
		"by somebody else": {sign: func(r *ocitest.Registry, d v1.Hash) { r.Sign("home", d, owner) }, keys: keys[:1], says: "by none of the keys"},
		"of another manifest": {sign: func(r *ocitest.Registry, d v1.Hash) {
			r.PutSignature("home", d, simple(r, d, owner, ocitest.Statement(other)))
		}, says: "another manifest"},
		"of something else": {sign: func(r *ocitest.Registry, d v1.Hash) {
			statement := strings.Replace(string(ocitest.Statement(d)), "container image signature", "blob", 1)
			r.PutSignature("home", d, simple(r, d, owner, []byte(statement)))
		}, says: "no statement about an image"},
		"of what was changed": {sign: func(r *ocitest.Registry, d v1.Hash) {
			r.PutSignature("home", d, ocitest.SignatureImage(t, append(ocitest.Statement(d), ' '), ocitest.Signature(t, owner, ocitest.Statement(d))))
		}, says: "by none of the keys"},
		"an attestation": {sign: func(r *ocitest.Registry, d v1.Hash) {
			r.PutBundle("home", d, ocitest.Envelope(t, owner, "https://spdx.dev/Document", d), nil)
		}, says: "a statement of another kind"},
		"a bundle about another": {sign: func(r *ocitest.Registry, d v1.Hash) {
			r.PutBundle("home", d, ocitest.Envelope(t, owner, ocitest.SignPredicate, other), nil)
		}, says: "about another manifest"},
		"a bundle by somebody else": {sign: func(r *ocitest.Registry, d v1.Hash) {
			r.PutBundle("home", d, ocitest.Envelope(t, owner, ocitest.SignPredicate, d), nil)
		}, keys: keys[:1], says: "by none of the keys"},
	} {
		t.Run(name, func(t *testing.T) {
			r := ocitest.New(t)
			digest := r.Push("home", "1", nil, layer)
			test.sign(r, digest)
			trusted := keys
			if test.keys != nil {
				trusted = test.keys
			}
			err := open(t, r, "home").VerifyKeys(t.Context(), digest, trusted)
			if test.says == "" && err != nil {
				t.Error(err)
			}
			if test.says != "" && (!errors.Is(err, ErrUnsigned) || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestARegistryThatDoesNotKnowWhatRefers(t *testing.T) {
	owner, _ := ocitest.NewKey(t)
	r := ocitest.New(t)
	r.Spoil = func(w http.ResponseWriter, req *http.Request) bool {
		if !strings.Contains(req.URL.Path, "/referrers/") {
			return false
		}
		http.NotFound(w, req)
		return true
	}
	digest := r.Push("home", "1", nil, ocitest.Layer{MediaType: "text/plain", Content: []byte("content")})
	if err := open(t, r, "home").VerifyKeys(t.Context(), digest, []Key{parsed(t, owner)}); !errors.Is(err, ErrUnsigned) {
		t.Errorf("unsigned: %v", err)
	}
	r.Sign("home", digest, owner)
	if err := open(t, r, "home").VerifyKeys(t.Context(), digest, []Key{parsed(t, owner)}); err != nil {
		t.Errorf("signed: %v", err)
	}
}

func TestKeys(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	large, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, _ := ocitest.NewKey(t)
	message := []byte("message")
	for name, key := range map[string]crypto.Signer{"RSA": short, "Ed25519": edwards, "P-384": large, "P-256": small} {
		public, signature := parsed(t, key), ocitest.Signature(t, key, message)
		if !public.verifies(message, signature) || public.verifies([]byte("other"), signature) || public.verifies(message, signature[1:]) || public.verifies(message, nil) {
			t.Errorf("%s: a signature is told wrongly", name)
		}
	}
	for name, content := range map[string]string{
		"nothing": "", "no PEM": "key", "a private key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"a broken one": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
	} {
		if _, err := ParseKey([]byte(content)); err == nil {
			t.Errorf("%s was read as a key", name)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	_, public := ocitest.NewKey(f)
	f.Add(public)
	f.Fuzz(func(t *testing.T, content []byte) {
		if key, err := ParseKey(content); err == nil && key.verifies([]byte("message"), []byte("no signature")) {
			t.Error("anything is a signature")
		}
	})
}

func FuzzParseBundle(f *testing.F) {
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]},"verificationMaterial":{"certificate":{"rawBytes":"AA=="},"tlogEntries":[{"logIndex":"1","integratedTime":"2"}]}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		b, err := parseBundle(content)
		if err != nil {
			return
		}
		digest := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}
		if b.verifyKeys(digest, nil) == nil || b.verifyIdentity(digest, TrustedRoot{}, nil) == nil {
			t.Error("nobody is trusted, and it is verified")
		}
	})
}
