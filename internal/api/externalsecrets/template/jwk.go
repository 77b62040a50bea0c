package template

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
)

// jwk is a JSON Web Key (RFC 7517) with the parameters of RFC 7518 and 8037.
type jwk struct {
	Kty, Crv      string
	N, E, D, P, Q string
	X, Y          string
}

var errJWK = publicError("the value is no JSON Web Key of type RSA, EC or OKP")

// jwkPublicKeyPEM returns the public part of a key as PEM.
func jwkPublicKeyPEM(text string) (string, error) {
	key, err := readJWK(text)
	if err != nil {
		return "", err
	}
	public, err := key.public()
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", errJWK
	}
	return encodePEM("PUBLIC KEY", der), nil
}

// jwkPrivateKeyPEM returns a private key as PEM, in PKCS #8.
func jwkPrivateKeyPEM(text string) (string, error) {
	key, err := readJWK(text)
	if err != nil {
		return "", err
	}
	private, err := key.private()
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", errJWK
	}
	return encodePEM("PRIVATE KEY", der), nil
}

func readJWK(text string) (jwk, error) {
	var key jwk
	if err := json.Unmarshal([]byte(text), &key); err != nil {
		return jwk{}, errJWK
	}
	return key, nil
}

func (k jwk) public() (any, error) {
	switch k.Kty {
	case "RSA":
		n, e := number(k.N), number(k.E)
		if n == nil || e == nil || !e.IsInt64() {
			return nil, errJWK
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
	case "EC":
		curve, x, y := k.curve(), number(k.X), number(k.Y)
		if curve == nil || x == nil || y == nil {
			return nil, errJWK
		}
		return &ecdsa.PublicKey{Curve: curve, X: x, Y: y}, nil
	case "OKP":
		x := octets(k.X)
		if k.Crv != "Ed25519" || len(x) != ed25519.PublicKeySize {
			return nil, errJWK
		}
		return ed25519.PublicKey(x), nil
	}
	return nil, errJWK
}

func (k jwk) private() (any, error) {
	public, err := k.public()
	if err != nil {
		return nil, err
	}
	d := number(k.D)
	if d == nil {
		return nil, errJWK
	}
	switch public := public.(type) {
	case *rsa.PublicKey:
		p, q := number(k.P), number(k.Q)
		if p == nil || q == nil {
			return nil, errJWK
		}
		key := &rsa.PrivateKey{PublicKey: *public, D: d, Primes: []*big.Int{p, q}}
		if err := key.Validate(); err != nil {
			return nil, errJWK
		}
		key.Precompute()
		return key, nil
	case *ecdsa.PublicKey:
		return &ecdsa.PrivateKey{PublicKey: *public, D: d}, nil
	}
	seed := octets(k.D)
	if len(seed) != ed25519.SeedSize {
		return nil, errJWK
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func (k jwk) curve() elliptic.Curve {
	switch k.Crv {
	case "P-256":
		return elliptic.P256()
	case "P-384":
		return elliptic.P384()
	case "P-521":
		return elliptic.P521()
	}
	return nil
}

func octets(s string) []byte {
	out, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil
	}
	return out
}

func number(s string) *big.Int {
	b := octets(s)
	if len(b) == 0 {
		return nil
	}
	return new(big.Int).SetBytes(b)
}

func encodePEM(blockType string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}))
}
