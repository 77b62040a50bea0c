package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"time"
)

// authorityLife is how long the stand-in's authority is valid.
const authorityLife = 10 * 365 * 24 * time.Hour

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	pem  []byte
	key  crypto.Signer
}

// newAuthority makes the authority that stands in for all that are elsewhere.
func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Hearth rehearsal authority"},
		NotBefore: time.Now().Add(-365 * 24 * time.Hour), NotAfter: time.Now().Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageCRLSign,
	}
	der, err := sign(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{cert: cert, pem: encodeCertificate(der), key: key}, nil
}

// sign signs a template with a serial number of its own.
func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	return x509.CreateCertificate(rand.Reader, template, parent, public, key)
}

// templateOf is what a Certificate asks to be signed.
func templateOf(s certificateSpec, from, to time.Time) (*x509.Certificate, error) {
	template := &x509.Certificate{
		NotBefore: from, NotAfter: to,
		DNSNames: s.names(), EmailAddresses: s.EmailAddresses,
		IsCA: s.IsCA, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if s.IsCA {
		template.KeyUsage |= x509.KeyUsageCertSign
		template.ExtKeyUsage = nil
	}
	if s.CommonName != "" {
		template.Subject = pkix.Name{CommonName: s.CommonName}
	}
	for _, text := range s.IPAddresses {
		ip := net.ParseIP(text)
		if ip == nil {
			return nil, fmt.Errorf("%q is no IP address", text)
		}
		template.IPAddresses = append(template.IPAddresses, ip)
	}
	for _, text := range s.URIs {
		uri, err := url.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no URI", text)
		}
		template.URIs = append(template.URIs, uri)
	}
	return template, nil
}

// issued is a certificate with what belongs to it.
type issued struct {
	leaf  *x509.Certificate
	chain []byte // PEM: the certificate, and who stands between it and the authority
	ca    []byte // PEM; empty where the issuer does not tell
}

// issue signs a template for a public key.
func (a *authority) issue(template *x509.Certificate, public crypto.PublicKey, tell bool) (*issued, error) {
	der, err := sign(template, a.cert, public, a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	out := &issued{leaf: leaf, chain: encodeCertificate(der)}
	if tell {
		out.ca = a.pem
	}
	return out, nil
}

// issueItself signs a template with its own key.
func issueItself(template *x509.Certificate, key crypto.Signer) (*issued, error) {
	der, err := sign(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &issued{leaf: leaf, chain: encodeCertificate(der), ca: encodeCertificate(der)}, nil
}
