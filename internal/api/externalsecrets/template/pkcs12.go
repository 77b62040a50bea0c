package template

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"

	"software.sslmate.com/src/go-pkcs12"
)

// pkcs12Functions read and write archives of keys and certificates. Archives
// are written as base64, as the operator does.
var pkcs12Functions = map[string]any{
	"pkcs12key":                 func(archive string) (string, error) { return pkcs12Key("", archive) },
	"pkcs12keyPass":             pkcs12Key,
	"pkcs12cert":                func(archive string) (string, error) { return pkcs12Certificates("", archive) },
	"pkcs12certPass":            pkcs12Certificates,
	"pemToPkcs12":               func(cert, key string) (string, error) { return leafToPKCS12(cert, key, "") },
	"pemToPkcs12Pass":           leafToPKCS12,
	"fullPemToPkcs12":           func(certs, key string) (string, error) { return chainToPKCS12(certs, key, "") },
	"fullPemToPkcs12Pass":       chainToPKCS12,
	"pemTruststoreToPKCS12":     func(certs string) (string, error) { return trustToPKCS12(certs, "") },
	"pemTruststoreToPKCS12Pass": trustToPKCS12,
}

var errPKCS12 = publicError("the value is no PKCS #12 archive with a key and a certificate that the password opens")

// pkcs12Key returns the private key of an archive as PEM, in PKCS #8.
func pkcs12Key(password, archive string) (string, error) {
	key, _, _, err := pkcs12.DecodeChain([]byte(archive), password)
	if err != nil {
		return "", errPKCS12
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", errPKCS12
	}
	return encodePEM("PRIVATE KEY", der), nil
}

// pkcs12Certificates returns the certificates of an archive as PEM: the key's
// own, then each before the one that it was issued by, as far as that is known.
func pkcs12Certificates(password, archive string) (string, error) {
	_, leaf, others, err := pkcs12.DecodeChain([]byte(archive), password)
	if err != nil {
		return "", errPKCS12
	}
	var out string
	for _, cert := range inChain(leaf, others) {
		out += encodePEM("CERTIFICATE", cert.Raw)
	}
	return out, nil
}

// inChain orders certificates from the leaf upwards; those that are not of its
// chain come last, as they stood.
func inChain(leaf *x509.Certificate, others []*x509.Certificate) []*x509.Certificate {
	chain := []*x509.Certificate{leaf}
	left := append([]*x509.Certificate{}, others...)
	for last := leaf; last != nil; {
		next := -1
		for i, cert := range left {
			if string(cert.RawSubject) == string(last.RawIssuer) {
				next = i
				break
			}
		}
		if next < 0 {
			break
		}
		last = left[next]
		chain = append(chain, last)
		left = append(left[:next], left[next+1:]...)
	}
	return append(chain, left...)
}

// leafToPKCS12 packs the first certificate of a PEM text with its key.
func leafToPKCS12(cert, key, password string) (string, error) {
	certs, err := certificates(cert)
	if err != nil {
		return "", err
	}
	return toPKCS12(certs[:1], key, password)
}

// chainToPKCS12 packs all certificates of a PEM text, the key's own first.
func chainToPKCS12(certs, key, password string) (string, error) {
	chain, err := certificates(certs)
	if err != nil {
		return "", err
	}
	return toPKCS12(chain, key, password)
}

func toPKCS12(certs []*x509.Certificate, key, password string) (string, error) {
	private, err := privateKey(key)
	if err != nil {
		return "", err
	}
	data, err := pkcs12.Modern.WithRand(salts(certs, key, password)).Encode(private, certs[0], certs[1:], password)
	if err != nil {
		return "", publicError("the key and the certificates cannot be packed as PKCS #12")
	}
	return base64.StdEncoding.EncodeToString(data), nil
}

// trustToPKCS12 packs certificates that are to be trusted.
func trustToPKCS12(text, password string) (string, error) {
	certs, err := certificates(text)
	if err != nil {
		return "", err
	}
	data, err := pkcs12.Modern.WithRand(salts(certs, "", password)).EncodeTrustStore(certs, password)
	if err != nil {
		return "", publicError("the certificates cannot be packed as PKCS #12")
	}
	return base64.StdEncoding.EncodeToString(data), nil
}

// salts returns the randomness of an archive. It follows from what is packed:
// an archive of the same content is the same each time, so that a refresh
// without news changes no Secret and restarts no pod.
func salts(certs []*x509.Certificate, key, password string) io.Reader {
	h := sha256.New()
	for _, cert := range certs {
		sum := sha256.Sum256(cert.Raw)
		h.Write(sum[:])
	}
	for _, text := range []string{key, password} {
		sum := sha256.Sum256([]byte(text))
		h.Write(sum[:])
	}
	const most = 4096 // bytes; an archive takes less than a tenth of it
	stream, err := hkdf.Expand(sha256.New, h.Sum(nil), "hearth pkcs12", most)
	if err != nil {
		return rand.Reader // there are never too many bytes asked for
	}
	return bytes.NewReader(stream)
}

// certificates reads the certificates of a PEM text, one at least.
func certificates(text string) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	err := eachBlock("the certificates", text, func(block *pem.Block) error {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return publicError("a block of the certificates is none")
		}
		certs = append(certs, cert)
		return nil
	})
	if err == nil && len(certs) == 0 {
		err = publicError("there is no certificate")
	}
	return certs, err
}

// privateKey reads a PEM text as PKCS #1, PKCS #8 or SEC 1.
func privateKey(text string) (any, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, publicError("the private key is not PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	return nil, publicError("the private key is none of PKCS #1, PKCS #8, SEC 1")
}
