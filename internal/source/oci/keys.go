package oci

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"errors"
)

// Key is a public key that signatures are verified with: ECDSA, RSA of 2048
// bits or more, or Ed25519.
type Key struct{ public crypto.PublicKey }

// ParseKey reads a public key in PEM.
func ParseKey(content []byte) (Key, error) {
	block, _ := pem.Decode(content)
	if block == nil {
		return Key{}, errors.New("it holds no public key in PEM")
	}
	var public any
	var err error
	switch block.Type {
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	default:
		return Key{}, errors.New("it holds something else than a public key in PEM")
	}
	if err != nil {
		return Key{}, errors.New("its public key cannot be read")
	}
	return keyOf(public)
}

func keyOf(public any) (Key, error) {
	switch key := public.(type) {
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return Key{key}, nil
	case *rsa.PublicKey:
		if key.N.BitLen() < 2048 {
			return Key{}, errors.New("its RSA key is shorter than 2048 bits")
		}
		return Key{key}, nil
	}
	return Key{}, errors.New("its public key is neither ECDSA nor RSA nor Ed25519")
}

// verifies reports whether a signature of a message was made with the key.
func (k Key) verifies(message, signature []byte) bool {
	short := sha256.Sum256(message)
	switch key := k.public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(key, message, signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, short[:], signature) == nil
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(key, short[:], signature) {
			return true
		}
		// Larger curves may be used with the hash of their size.
		long, longest := sha512.Sum384(message), sha512.Sum512(message)
		return key.Curve.Params().BitSize > 256 && (ecdsa.VerifyASN1(key, long[:], signature) || ecdsa.VerifyASN1(key, longest[:], signature))
	}
	return false
}
