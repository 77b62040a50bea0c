package onepassword

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"time"

	"golang.org/x/crypto/ssh"
)

// key returns the key pair of an item: all its keys and certificates belong
// together. Ed25519 keys, and what they sign, follow from the seed alone.
func (d draw) key() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(draw{seed: d.seed, item: d.item}.bytes("key"))
}

func (d draw) public() ed25519.PublicKey { return d.key().Public().(ed25519.PublicKey) }

func (d draw) privateKey() string {
	der, err := x509.MarshalPKCS8PrivateKey(d.key())
	return encodePEM("PRIVATE KEY", der, err)
}

func (d draw) publicKey() string {
	der, err := x509.MarshalPKIXPublicKey(d.public())
	return encodePEM("PUBLIC KEY", der, err)
}

// certificate is self-signed and valid for a hundred years.
func (d draw) certificate() string {
	from := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	cert := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "example.invalid"},
		DNSNames:              []string{"example.invalid"},
		NotBefore:             from,
		NotAfter:              from.AddDate(100, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, d.public(), d.key())
	return encodePEM("CERTIFICATE", der, err)
}

func (d draw) sshPublicKey() string {
	key, err := ssh.NewPublicKey(d.public())
	if err != nil {
		panic(err) // an Ed25519 key always has that form
	}
	return string(ssh.MarshalAuthorizedKey(key))
}

func (d draw) webKey() string {
	b64 := base64.RawURLEncoding.EncodeToString
	out, err := json.Marshal(map[string]string{
		"kty": "OKP", "crv": "Ed25519", "x": b64(d.public()), "d": b64(d.key().Seed()),
	})
	if err != nil {
		panic(err) // texts always have a JSON form
	}
	return string(out)
}

// encodePEM fails for no key or certificate made here.
func encodePEM(blockType string, der []byte, err error) string {
	if err != nil {
		panic("encoding a " + blockType + ": " + err.Error())
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}))
}
