package oci

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"hearth/internal/source/ocitest"
)

// signingWorld is a certificate authority and the logs that a trusted root
// names, as in a Sigstore of one's own.
type signingWorld struct {
	t            *testing.T
	authorityKey crypto.Signer
	authority    *x509.Certificate
	issued, log  crypto.Signer
	now          time.Time
}

func newSigningWorld(t *testing.T) *signingWorld {
	t.Helper()
	w := &signingWorld{t: t, now: time.Now().Add(-24 * time.Hour).Truncate(time.Second)}
	w.authorityKey, _ = ocitest.NewKey(t)
	w.issued, _ = ocitest.NewKey(t)
	w.log, _ = ocitest.NewKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: w.now.Add(-time.Hour), NotAfter: w.now.Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	w.authority = w.certificate(template, template, w.authorityKey.Public())
	return w
}

func (w *signingWorld) certificate(template, parent *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	w.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, w.authorityKey)
	if err != nil {
		w.t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

func spki(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// trustedRoot is the file that names authority and logs.
func (w *signingWorld) trustedRoot() []byte {
	w.t.Helper()
	valid := map[string]any{"start": w.now.Add(-time.Hour)}
	log := func(key crypto.Signer) []any {
		return []any{map[string]any{"publicKey": map[string]any{"rawBytes": spki(w.t, key), "validFor": valid}}}
	}
	content, err := json.Marshal(map[string]any{
		"tlogs": log(w.log), "ctlogs": log(w.issued),
		"certificateAuthorities": []any{map[string]any{
			"certChain": map[string]any{"certificates": []any{map[string]any{"rawBytes": w.authority.Raw}}}, "validFor": valid,
		}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return content
}

// issue makes a certificate for an identity, with the promise of the log of
// certificates in it.
func (w *signingWorld) issue(key crypto.Signer, issuer, subject string, promise bool) *x509.Certificate {
	w.t.Helper()
	at, err := url.Parse(subject)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := asn1.Marshal(issuer)
	if err != nil {
		w.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: w.now.Add(-time.Minute), NotAfter: w.now.Add(9 * time.Minute), URIs: []*url.URL{at},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		ExtraExtensions: []pkix.Extension{{Id: issuerID, Value: text}},
	}
	bare := w.certificate(template, w.authority, key.Public())
	if !promise {
		return bare
	}
	list, err := asn1.Marshal(w.promise(bare))
	if err != nil {
		w.t.Fatal(err)
	}
	template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: promisesID, Value: list})
	return w.certificate(template, w.authority, key.Public())
}

// promise is a list of one SignedCertificateTimestamp (RFC 6962, 3.2 and 3.3).
func (w *signingWorld) promise(bare *x509.Certificate) []byte {
	stamp := binary.BigEndian.AppendUint64(nil, uint64(w.now.UnixMilli()))
	issuer, id := sha256.Sum256(w.authority.RawSubjectPublicKeyInfo), sha256.Sum256(spki(w.t, w.issued))
	signed := append([]byte{0, 0}, stamp...)
	signed = append(append(signed, 0, 1), issuer[:]...)
	signed = append(binary.BigEndian.AppendUint32(nil, uint32(len(bare.RawTBSCertificate)))[1:], bare.RawTBSCertificate...)
	head := append(append([]byte{0, 0}, stamp...), 0, 1)
	signed = append(append(append(head, issuer[:]...), signed...), 0, 0)
	signature := ocitest.Signature(w.t, w.issued, signed)
	one := append(append([]byte{0}, id[:]...), stamp...)
	one = append(one, 0, 0, 4, 3)
	one = append(binary.BigEndian.AppendUint16(one, uint16(len(signature))), signature...)
	list := append(binary.BigEndian.AppendUint16(nil, uint16(len(one))), one...)
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(list))), list...)
}

// record is what the log of signatures says of an envelope.
func (w *signingWorld) record(envelope map[string]any, certificate *x509.Certificate, at time.Time) map[string]any {
	w.t.Helper()
	payload := sha256.Sum256(envelope["payload"].([]byte))
	signature := envelope["signatures"].([]any)[0].(map[string]any)["sig"]
	body, err := json.Marshal(map[string]any{"apiVersion": "0.0.1", "kind": "dsse", "spec": map[string]any{
		"payloadHash": map[string]any{"algorithm": "sha256", "value": hex.EncodeToString(payload[:])},
		"signatures":  []any{map[string]any{"signature": signature, "verifier": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})}},
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.promiseEntry(body, at)
}

// promiseEntry is how the log of signatures promises to hold an entry.
func (w *signingWorld) promiseEntry(body []byte, at time.Time) map[string]any {
	w.t.Helper()
	id := sha256.Sum256(spki(w.t, w.log))
	signed, err := json.Marshal(map[string]any{"body": body, "integratedTime": at.Unix(), "logID": hex.EncodeToString(id[:]), "logIndex": 7})
	if err != nil {
		w.t.Fatal(err)
	}
	return map[string]any{
		"logIndex": "7", "logId": map[string]any{"keyId": id[:]}, "integratedTime": strconv.FormatInt(at.Unix(), 10),
		"inclusionPromise": map[string]any{"signedEntryTimestamp": ocitest.Signature(w.t, w.log, signed)}, "canonicalizedBody": body,
	}
}

func TestVerifyIdentity(t *testing.T) {
	const issuer, subject = "https://token.actions.example.org", "https://git.example.org/owner/home/.workflow@refs/heads/main"
	w, foreign := newSigningWorld(t), newSigningWorld(t)
	root, err := ParseTrustedRoot(w.trustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	stranger, _ := ocitest.NewKey(t)
	other := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}
	type parts struct {
		envelope, entry map[string]any
		certificate     *x509.Certificate
	}
	// by signs in a world, with everything as it should be.
	by := func(w *signingWorld, digest v1.Hash, promise bool) parts {
		certificate := w.issue(signer, issuer, subject, promise)
		envelope := ocitest.Envelope(t, signer, ocitest.SignPredicate, digest)
		return parts{envelope, w.record(envelope, certificate, w.now), certificate}
	}
	for name, test := range map[string]struct {
		match [2]string
		parts func(digest v1.Hash) parts
		says  string
	}{
		"by the identity":         {match: [2]string{"^https://token\\.actions\\.example\\.org$", "^https://git\\.example\\.org/owner/"}, parts: func(d v1.Hash) parts { return by(w, d, true) }},
		"another issuer":          {match: [2]string{"^https://accounts", ".*"}, parts: func(d v1.Hash) parts { return by(w, d, true) }, says: "whom no identity matches"},
		"another subject":         {match: [2]string{".*", "^https://git.example.org/other/"}, parts: func(d v1.Hash) parts { return by(w, d, true) }, says: "whom no identity matches"},
		"another manifest":        {parts: func(v1.Hash) parts { return by(w, other, true) }, says: "about another manifest"},
		"a certificate in no log": {parts: func(d v1.Hash) parts { return by(w, d, false) }, says: "in no log"},
		"another authority": {parts: func(d v1.Hash) parts {
			p := by(foreign, d, true)
			p.entry = w.record(p.envelope, p.certificate, w.now)
			return p
		}, says: "no authority of the trusted root"},
		"another log": {parts: func(d v1.Hash) parts {
			p := by(w, d, true)
			p.entry = foreign.record(p.envelope, p.certificate, w.now)
			return p
		}, says: "of a log that the trusted root does not name"},
		"after the certificate": {parts: func(d v1.Hash) parts {
			p := by(w, d, true)
			p.entry = w.record(p.envelope, p.certificate, w.now.Add(20*time.Minute))
			return p
		}, says: "was not valid when it was used"},
		"an entry with another time": {parts: func(d v1.Hash) parts {
			p := by(w, d, true)
			p.entry["integratedTime"] = strconv.FormatInt(w.now.Unix()+1, 10)
			return p
		}, says: "not signed by its log"},
		"an entry of another signature": {parts: func(d v1.Hash) parts {
			p := by(w, d, true)
			p.entry = w.record(ocitest.Envelope(t, signer, ocitest.SignPredicate, d), p.certificate, w.now)
			return p
		}, says: "of another signature"},
		"an entry without a promise": {parts: func(d v1.Hash) parts {
			p := by(w, d, true)
			delete(p.entry, "inclusionPromise")
			return p
		}, says: "no signed time"},
		"a signature by another key": {parts: func(d v1.Hash) parts {
			p := by(w, d, true)
			p.envelope = ocitest.Envelope(t, stranger, ocitest.SignPredicate, d)
			p.entry = w.record(p.envelope, p.certificate, w.now)
			return p
		}, says: "by none of the keys"},
	} {
		t.Run(name, func(t *testing.T) {
			r := ocitest.New(t)
			digest := r.Push("home", "1", nil, ocitest.Layer{MediaType: "text/plain", Content: []byte("content")})
			p := test.parts(digest)
			r.PutBundle("home", digest, p.envelope, map[string]any{
				"certificate": map[string]any{"rawBytes": p.certificate.Raw}, "tlogEntries": []any{p.entry},
			})
			identity, err := ParseIdentity(test.match[0], test.match[1])
			if err != nil {
				t.Fatal(err)
			}
			err = open(t, r, "home").VerifyIdentity(t.Context(), digest, root, []Identity{identity})
			if test.says == "" && err != nil {
				t.Error(err)
			}
			if test.says != "" && (!errors.Is(err, ErrUnsigned) || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestVerifyIdentityBesideIt is of the form that cosign used before bundles.
func TestVerifyIdentityBesideIt(t *testing.T) {
	const issuer, subject = "https://accounts.example.org", "https://git.example.org/owner"
	w := newSigningWorld(t)
	root, err := ParseTrustedRoot(w.trustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	signer, _ := ocitest.NewKey(t)
	certificate := w.issue(signer, issuer, subject, true)
	notedCertificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
	r := ocitest.New(t)
	digest := r.Push("home", "1", nil, ocitest.Layer{MediaType: "text/plain", Content: []byte("content")})
	statement := ocitest.Statement(digest)
	signature := ocitest.Signature(t, signer, statement)
	for name, test := range map[string]struct {
		logged []byte // what the log says was signed
		says   string
	}{
		"as it should be":         {statement, ""},
		"an entry of another one": {[]byte("other"), "of another signature"},
	} {
		sum := sha256.Sum256(test.logged)
		body, err := json.Marshal(map[string]any{"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": map[string]any{
			"data":      map[string]any{"hash": map[string]any{"algorithm": "sha256", "value": hex.EncodeToString(sum[:])}},
			"signature": map[string]any{"content": signature, "publicKey": map[string]any{"content": notedCertificate}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		entry := w.promiseEntry(body, w.now)
		id := sha256.Sum256(spki(t, w.log))
		noted, err := json.Marshal(map[string]any{
			"SignedEntryTimestamp": entry["inclusionPromise"].(map[string]any)["signedEntryTimestamp"],
			"Payload":              map[string]any{"body": body, "integratedTime": w.now.Unix(), "logIndex": 7, "logID": hex.EncodeToString(id[:])},
		})
		if err != nil {
			t.Fatal(err)
		}
		r.PutSignature("home", digest, ocitest.NotedSignatureImage(t, statement, signature, map[string]string{cosignCertificate: string(notedCertificate), cosignLogged: string(noted)}))
		identity, err := ParseIdentity("^https://accounts.example.org$", "owner$")
		if err != nil {
			t.Fatal(err)
		}
		err = open(t, r, "home").VerifyIdentity(t.Context(), digest, root, []Identity{identity})
		if test.says == "" && err != nil || test.says != "" && (!errors.Is(err, ErrUnsigned) || !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseTrustedRootRefuses(t *testing.T) {
	for name, content := range map[string]string{"nothing": "", "no JSON": "{", "no authority": `{"tlogs":[],"ctlogs":[]}`, "a broken key": `{"tlogs":[{"publicKey":{"rawBytes":"AAAA"}}]}`} {
		if _, err := ParseTrustedRoot([]byte(content)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

func FuzzParseTrustedRoot(f *testing.F) {
	f.Add([]byte(`{"tlogs":[{"publicKey":{"rawBytes":"AAAA","validFor":{"start":"2021-01-12T11:53:27Z"}}}]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		if root, err := ParseTrustedRoot(content); err == nil && len(root.authorities) == 0 {
			t.Error("a root without authorities")
		}
	})
}

func FuzzSplitPromises(f *testing.F) {
	f.Add([]byte{0, 3, 0, 1, 9})
	f.Fuzz(func(t *testing.T, list []byte) {
		total := 0
		for _, promise := range splitPromises(list) {
			total += 2 + len(promise)
			if (TrustedRoot{}).promised(promise, nil, [sha256.Size]byte{}) {
				t.Error("promised by nobody")
			}
		}
		if total > len(list) {
			t.Errorf("%d bytes of %d", total, len(list))
		}
	})
}
