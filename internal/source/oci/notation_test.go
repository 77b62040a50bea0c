package oci

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/signer"

	"hearth/internal/source/ocitest"
)

// notationKey makes a key with a certificate for signing, and its root.
func notationKey(t *testing.T) (crypto.PrivateKey, []*x509.Certificate) {
	t.Helper()
	certify := func(serial int64, name string, ca bool, parent *x509.Certificate, by crypto.PrivateKey) (*ecdsa.PrivateKey, *x509.Certificate) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name, Organization: []string{"Home"}, Country: []string{"DE"}, Province: []string{"BE"}},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), BasicConstraintsValid: true, IsCA: ca,
			KeyUsage: x509.KeyUsageDigitalSignature,
		}
		if ca {
			template.KeyUsage = x509.KeyUsageCertSign
		} else {
			template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
		}
		if parent == nil {
			parent, by = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
		if err != nil {
			t.Fatal(err)
		}
		made, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return key, made
	}
	rootKey, root := certify(1, "root", true, nil, nil)
	key, leaf := certify(2, "owner", false, root, rootKey)
	return key, []*x509.Certificate{leaf, root}
}

func policy(level, identity string) []byte {
	return []byte(`{"version":"1.0","trustPolicies":[{"name":"all","registryScopes":["*"],"signatureVerification":{"level":"` + level + `"},"trustStores":["ca:home"],"trustedIdentities":["` + identity + `"]}]}`)
}

func TestVerifyNotation(t *testing.T) {
	key, chain := notationKey(t)
	_, strangers := notationKey(t)
	asPEM := func(certificate *x509.Certificate) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
	}
	for name, test := range map[string]struct {
		policy       []byte
		certificates [][]byte
		format       string
		unsigned     bool
		other        bool
		verified     bool
		says         string
	}{
		"strict, JWS":              {policy: policy("strict", "*"), format: "application/jose+json", verified: true},
		"strict, COSE":             {policy: policy("strict", "*"), format: "application/cose", verified: true},
		"a certificate in DER":     {policy: policy("strict", "*"), certificates: [][]byte{chain[1].Raw}, verified: true},
		"the identity that signed": {policy: policy("strict", "x509.subject: C=DE, ST=BE, O=Home, CN=owner"), verified: true},
		"another identity":         {policy: policy("strict", "x509.subject: C=DE, ST=BE, O=Other"), says: "signature"},
		"another root":             {policy: policy("strict", "*"), certificates: [][]byte{asPEM(strangers[1])}, says: "signature"},
		"another manifest":         {policy: policy("strict", "*"), other: true, says: "signature"},
		"not signed":               {policy: policy("strict", "*"), unsigned: true, says: "no signature is associated"},
		"only audited":             {policy: policy("audit", "*"), certificates: [][]byte{asPEM(strangers[1])}},
		"skipped":                  {policy: policy("skip", "*"), unsigned: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := ocitest.New(t)
			content := ocitest.Layer{MediaType: "text/plain", Content: []byte("content")}
			digest := r.Push("home", "1", nil, content)
			home := open(t, r, "home")
			signed := digest
			if test.other {
				signed = r.Push("home", "2", nil, content, content)
			}
			if !test.unsigned {
				sign(t, r, home, key, chain, signed, digest, test.format)
			}
			if test.certificates == nil {
				test.certificates = [][]byte{asPEM(chain[1])}
			}
			trusted, err := ParseNotation(test.policy, test.certificates)
			if err != nil {
				t.Fatal(err)
			}
			verified, err := home.VerifyNotation(t.Context(), digest, trusted)
			if test.says == "" && (err != nil || verified != test.verified) {
				t.Errorf("verified %t, %v", verified, err)
			}
			if test.says != "" && (verified || err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("verified %t, %v", verified, err)
			}
		})
	}
}

// sign puts a signature of one manifest so that it refers to another.
func sign(t *testing.T, r *ocitest.Registry, home *Repository, key crypto.PrivateKey, chain []*x509.Certificate, of, to v1.Hash, format string) {
	t.Helper()
	if format == "" {
		format = "application/jose+json"
	}
	by, err := signer.NewGenericSigner(key, chain)
	if err != nil {
		t.Fatal(err)
	}
	target, err := notary{home}.Resolve(t.Context(), of.String())
	if err != nil {
		t.Fatal(err)
	}
	envelope, _, err := by.Sign(t.Context(), target, notation.SignerSignOptions{SignatureMediaType: format})
	if err != nil {
		t.Fatal(err)
	}
	r.Refer("home", to, registry.ArtifactTypeNotation, ocitest.Image(t, nil, ocitest.Layer{MediaType: format, Content: envelope}))
}

func TestParseNotationRefuses(t *testing.T) {
	_, chain := notationKey(t)
	for name, test := range map[string]struct {
		policy      string
		certificate []byte
	}{
		"no JSON":          {"{", chain[1].Raw},
		"null":             {"null", chain[1].Raw},
		"an empty policy":  {"{}", chain[1].Raw},
		"no certificate":   {string(policy("strict", "*")), nil},
		"a broken one":     {string(policy("strict", "*")), []byte("certificate")},
		"an unknown level": {string(policy("none", "*")), chain[1].Raw},
	} {
		certificates := [][]byte{test.certificate}
		if test.certificate == nil {
			certificates = nil
		}
		if _, err := ParseNotation([]byte(test.policy), certificates); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	if err := (notary{}).ListSignatures(t.Context(), descriptor(v1.Descriptor{}), nil); err == nil {
		t.Error("the signatures of nothing were listed")
	}
	if _, _, err := (notary{}).PushSignature(t.Context(), "", nil, descriptor(v1.Descriptor{}), nil); err == nil || errors.Is(err, ErrUnsigned) {
		t.Errorf("a signature was pushed: %v", err)
	}
}

func FuzzParseNotation(f *testing.F) {
	f.Add(policy("strict", "*"), []byte("certificate"))
	f.Fuzz(func(t *testing.T, document, certificate []byte) {
		if n, err := ParseNotation(document, [][]byte{certificate}); err == nil && len(n.certificates) == 0 {
			t.Error("nobody is trusted")
		}
	})
}
