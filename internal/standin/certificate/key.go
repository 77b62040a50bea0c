package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// newKey makes a private key as a Certificate asks for it: RSA of 2048 bits
// unless it says otherwise.
func newKey(s certificateSpec) (crypto.Signer, error) {
	size := s.PrivateKey.Size
	switch s.PrivateKey.Algorithm {
	case "", "RSA":
		if size == 0 {
			size = 2048
		}
		if size < 2048 || size > 8192 {
			return nil, fmt.Errorf("an RSA key has 2048 to 8192 bits, not %d", size)
		}
		return rsa.GenerateKey(rand.Reader, size)
	case "ECDSA":
		curves := map[int]elliptic.Curve{0: elliptic.P256(), 256: elliptic.P256(), 384: elliptic.P384(), 521: elliptic.P521()}
		if curves[size] == nil {
			return nil, fmt.Errorf("an ECDSA key has 256, 384 or 521 bits, not %d", size)
		}
		return ecdsa.GenerateKey(curves[size], rand.Reader)
	case "Ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("there is no private key algorithm %q", s.PrivateKey.Algorithm)
}

// encodeKey writes a key in PEM: PKCS#8 where that is asked for, or else the
// older form of its algorithm.
func encodeKey(key crypto.Signer, encoding string) ([]byte, error) {
	if encoding != "PKCS8" {
		switch key := key.(type) {
		case *rsa.PrivateKey:
			return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), nil
		case *ecdsa.PrivateKey:
			der, err := x509.MarshalECPrivateKey(key)
			return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), err
		}
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

var errNoKey = errors.New("no private key in PEM")

// decodeKey reads a key in PEM, of any of the usual forms.
func decodeKey(data []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errNoKey
	}
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, errNoKey // the reason could quote the key
	}
	return signer, nil
}

var (
	errNoCertificate = errors.New("no certificate in PEM")
	errNoRequest     = errors.New("failed to decode CSR in spec.request")
)

// decodeCertificate reads the first certificate of a chain in PEM.
func decodeCertificate(data []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errNoCertificate
	}
	return x509.ParseCertificate(block.Bytes)
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
