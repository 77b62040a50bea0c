package certificate

import (
	"crypto/x509"
	"time"
)

// Authority signs key pairs for stand-ins of operators that have an authority
// of their own.
type Authority struct{ authority *authority }

// NewAuthority makes an authority with a new key.
func NewAuthority() (*Authority, error) {
	a, err := newAuthority()
	if err != nil {
		return nil, err
	}
	return &Authority{a}, nil
}

// PEM returns the authority's certificate and private key.
func (a *Authority) PEM() (cert, key []byte, err error) {
	key, err = encodeKey(a.authority.key, "")
	return a.authority.pem, key, err
}

// Pair makes a key pair for a common name and DNS names, in PEM, that is valid
// as long as a usual public one.
func (a *Authority) Pair(commonName string, names []string) (cert, key []byte, err error) {
	s := certificateSpec{CommonName: commonName, DNSNames: names}
	s.PrivateKey.Algorithm = "ECDSA"
	private, err := newKey(s)
	if err != nil {
		return nil, nil, err
	}
	template, err := usualTemplate(s)
	if err != nil {
		return nil, nil, err
	}
	out, err := a.authority.issue(template, private.Public(), false)
	if err != nil {
		return nil, nil, err
	}
	key, err = encodeKey(private, "")
	return out.chain, key, err
}

// SelfSigned makes a key pair for some DNS names that is its own authority, in
// PEM.
func SelfSigned(names []string) (cert, key []byte, err error) {
	s := certificateSpec{DNSNames: names}
	s.PrivateKey.Algorithm = "ECDSA"
	private, err := newKey(s)
	if err != nil {
		return nil, nil, err
	}
	template, err := usualTemplate(s)
	if err != nil {
		return nil, nil, err
	}
	template.IsCA, template.KeyUsage = true, template.KeyUsage|x509.KeyUsageCertSign
	if len(names) > 0 && len(names[0]) <= maxCommonName {
		template.Subject.CommonName = names[0]
	}
	out, err := issueItself(template, private)
	if err != nil {
		return nil, nil, err
	}
	key, err = encodeKey(private, "PKCS8")
	return out.chain, key, err
}

// maxCommonName is the longest common name that X.509 admits.
const maxCommonName = 64

func usualTemplate(s certificateSpec) (*x509.Certificate, error) {
	now := time.Now()
	return templateOf(s, now.Add(-time.Hour), now.Add(defaultDuration))
}
