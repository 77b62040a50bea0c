package oci

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Identity is who signs with a certificate that was issued for a login: the
// issuer of the login, and the subject, each by a regular expression.
type Identity struct{ issuer, subject *regexp.Regexp }

// ParseIdentity reads the expressions that an issuer and a subject must match.
// An empty one matches all.
func ParseIdentity(issuer, subject string) (Identity, error) {
	i, err := regexp.Compile(issuer)
	if err != nil {
		return Identity{}, fmt.Errorf("issuer: %w", err)
	}
	s, err := regexp.Compile(subject)
	if err != nil {
		return Identity{}, fmt.Errorf("subject: %w", err)
	}
	return Identity{i, s}, nil
}

// The extensions of a certificate that name the issuer of the login, as text
// and in the encoding of the others.
// https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
var (
	issuerTextID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 1}
	issuerID     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8}
)

// matches reports whether a certificate is one of the identities'. No
// identities match everybody whom the authorities know, as in Flux.
func matches(certificate *x509.Certificate, identities []Identity) bool {
	if len(identities) == 0 {
		return true
	}
	issuer := issuerOf(certificate)
	for _, identity := range identities {
		if !identity.issuer.MatchString(issuer) {
			continue
		}
		for _, subject := range subjectsOf(certificate) {
			if identity.subject.MatchString(subject) {
				return true
			}
		}
	}
	return false
}

func issuerOf(certificate *x509.Certificate) string {
	text := ""
	for _, extension := range certificate.Extensions {
		switch {
		case extension.Id.Equal(issuerID):
			if rest, err := asn1.Unmarshal(extension.Value, &text); err == nil && len(rest) == 0 {
				return text
			}
		case extension.Id.Equal(issuerTextID):
			text = string(extension.Value)
		}
	}
	return text
}

func subjectsOf(certificate *x509.Certificate) []string {
	subjects := append([]string(nil), certificate.EmailAddresses...)
	for _, u := range certificate.URIs {
		subjects = append(subjects, u.String())
	}
	return subjects
}

// VerifyIdentity looks for a bundle or a signature of the manifest by one of
// the identities: certified by the root's authorities, and logged while the
// certificate was valid. The error is ErrUnsigned where there is none.
func (r *Repository) VerifyIdentity(ctx context.Context, digest v1.Hash, root TrustedRoot, identities []Identity) error {
	bundles, err := r.bundles(ctx, digest)
	if err != nil {
		return err
	}
	var wrong []error
	for _, bundle := range bundles {
		if err := bundle.verifyIdentity(digest, root, identities); err != nil {
			wrong = append(wrong, err)
			continue
		}
		return nil
	}
	signatures, err := r.simpleSignatures(ctx, digest)
	if err != nil {
		return err
	}
	for _, signature := range signatures {
		if err := signature.verifyIdentity(digest, root, identities); err != nil {
			wrong = append(wrong, err)
			continue
		}
		return nil
	}
	return unsigned(digest, wrong)
}

// verifyIdentity verifies a bundle's certificate, log entry and statement.
func (b bundle) verifyIdentity(digest v1.Hash, root TrustedRoot, identities []Identity) error {
	if b.Material.Certificate == nil || len(b.Material.Entries) != 1 {
		return errors.New("a bundle holds no certificate, or not one log entry")
	}
	certificate, err := x509.ParseCertificate(b.Material.Certificate.Raw)
	if err != nil {
		return errors.New("a certificate cannot be read")
	}
	key, err := root.identify(certifiedSignature{
		sha256.Sum256(b.Envelope.Payload), b.Envelope.Signatures[0].Signature, certificate,
	}, b.Material.Entries[0], identities)
	if err != nil {
		return err
	}
	return b.verifyKeys(digest, []Key{key})
}

// identify returns the key of a certificate of one of the identities, if what
// it signed was logged while it was valid. That the signature is by the key is
// left to be seen.
func (r TrustedRoot) identify(s certifiedSignature, entry logEntry, identities []Identity) (Key, error) {
	at, err := r.logged(entry)
	if err != nil {
		return Key{}, err
	}
	if err := entry.records(s); err != nil {
		return Key{}, err
	}
	if err := r.certified(s.certificate, at); err != nil {
		return Key{}, err
	}
	if !matches(s.certificate, identities) {
		return Key{}, fmt.Errorf("it is signed by %q of %q, whom no identity matches", subjectsOf(s.certificate), issuerOf(s.certificate))
	}
	return keyOf(s.certificate.PublicKey)
}

// What cosign notes of a signature beside a manifest.
const (
	cosignCertificate = "dev.sigstore.cosign/certificate"
	cosignLogged      = "dev.sigstore.cosign/bundle"
)

// verifyIdentity verifies the certificate and the log entry that are noted with
// a signature, and its statement.
func (s simpleSignature) verifyIdentity(digest v1.Hash, root TrustedRoot, identities []Identity) error {
	block, _ := pem.Decode([]byte(s.annotations[cosignCertificate]))
	if block == nil {
		return errors.New("a signature has no certificate")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return errors.New("a certificate cannot be read")
	}
	var noted struct {
		Signature []byte `json:"SignedEntryTimestamp"`
		Payload   struct {
			Body  []byte `json:"body"`
			Time  int64  `json:"integratedTime"`
			Index int64  `json:"logIndex"`
			Log   string `json:"logID"`
		} `json:"Payload"`
	}
	if json.Unmarshal([]byte(s.annotations[cosignLogged]), &noted) != nil {
		return errors.New("a signature has no log entry that can be read")
	}
	entry := logEntry{Index: strconv.FormatInt(noted.Payload.Index, 10), Time: strconv.FormatInt(noted.Payload.Time, 10), Body: noted.Payload.Body}
	entry.Promise.Signature = noted.Signature
	if entry.Log.ID, err = hex.DecodeString(noted.Payload.Log); err != nil {
		return errors.New("a signature has no log entry that can be read")
	}
	key, err := root.identify(certifiedSignature{sha256.Sum256(s.statement), s.signature, certificate}, entry, identities)
	if err != nil {
		return err
	}
	return s.verify(digest, []Key{key})
}
