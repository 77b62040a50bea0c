package oci

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"math/big"
	"time"
)

// A log of certificates promises in the certificate itself that it holds it
// (RFC 6962, 3.3): by a signature over the certificate without that promise.

var promisesID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}

// toBeSigned is the part of a certificate that is signed (RFC 5280, 4.1).
type toBeSigned struct {
	Version    int `asn1:"optional,explicit,default:0,tag:0"`
	Serial     *big.Int
	Algorithm  asn1.RawValue
	Issuer     asn1.RawValue
	Validity   asn1.RawValue
	Subject    asn1.RawValue
	PublicKey  asn1.RawValue
	Extensions []pkix.Extension `asn1:"explicit,tag:3"`
}

// issuanceLogged checks that a log of the trusted root promised to hold the
// certificate.
func (r TrustedRoot) issuanceLogged(certificate, issuer *x509.Certificate) error {
	var tbs toBeSigned
	if rest, err := asn1.Unmarshal(certificate.RawTBSCertificate, &tbs); err != nil || len(rest) > 0 {
		return errors.New("a certificate cannot be read")
	}
	var promises []byte
	kept := tbs.Extensions[:0:0]
	for _, extension := range tbs.Extensions {
		if !extension.Id.Equal(promisesID) {
			kept = append(kept, extension)
		} else if _, err := asn1.Unmarshal(extension.Value, &promises); err != nil {
			return errors.New("a certificate cannot be read")
		}
	}
	tbs.Extensions = kept
	bare, err := asn1.Marshal(tbs)
	if err != nil {
		return errors.New("a certificate cannot be read")
	}
	for _, promise := range splitPromises(promises) {
		if r.promised(promise, bare, sha256.Sum256(issuer.RawSubjectPublicKeyInfo)) {
			return nil
		}
	}
	return errors.New("a certificate is in no log that the trusted root names")
}

// splitPromises splits a list of SignedCertificateTimestamps.
func splitPromises(list []byte) [][]byte {
	var promises [][]byte
	list, ok := sized(&list)
	for ok && len(list) > 0 {
		var one []byte
		if one, ok = sized(&list); ok {
			promises = append(promises, one)
		}
	}
	return promises
}

// sized takes what is preceded by its length of two bytes.
func sized(from *[]byte) ([]byte, bool) {
	if len(*from) < 2 {
		return nil, false
	}
	n := int(binary.BigEndian.Uint16(*from))
	if len(*from) < 2+n {
		return nil, false
	}
	taken := (*from)[2 : 2+n]
	*from = (*from)[2+n:]
	return taken, true
}

// promised reports whether a promise is for a certificate: version, log,
// milliseconds, extensions, algorithm and signature.
func (r TrustedRoot) promised(promise, bare []byte, issuer [sha256.Size]byte) bool {
	const fixed = 1 + sha256.Size + 8
	if len(promise) < fixed || promise[0] != 0 {
		return false
	}
	log, stamp := promise[1:1+sha256.Size], promise[1+sha256.Size:fixed]
	rest := promise[fixed:]
	extensions, ok := sized(&rest)
	if !ok || len(rest) < 2 {
		return false
	}
	rest = rest[2:] // the algorithm is that of the log's key
	signature, ok := sized(&rest)
	if !ok || len(bare) >= 1<<24 {
		return false
	}
	milliseconds := binary.BigEndian.Uint64(stamp)
	if milliseconds > 1<<60 {
		return false
	}
	key, ok := logOf(r.issued, log, time.UnixMilli(int64(milliseconds)))
	if !ok {
		return false
	}
	signed := append([]byte{0, 0}, stamp...)
	signed = append(signed, 0, 1) // of a certificate to be
	signed = append(signed, issuer[:]...)
	signed = append(signed, byte(len(bare)>>16), byte(len(bare)>>8), byte(len(bare)))
	signed = append(signed, bare...)
	signed = binary.BigEndian.AppendUint16(signed, uint16(len(extensions)))
	signed = append(signed, extensions...)
	return key.verifies(signed, signature)
}
