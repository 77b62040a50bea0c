package githubapp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"time"
)

// assert signs that we are the App, from a minute ago, since clocks differ,
// for nine minutes.
func (l Login) assert(now time.Time) (string, error) {
	key, err := parseKey(l.key)
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{"iss": l.id, "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(9 * time.Minute).Unix()})
	if err != nil {
		return "", fmt.Errorf("could not sign in as GitHub App: %w", err)
	}
	signed := encoded([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encoded(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", misconfigured("its key cannot sign")
	}
	return signed + "." + encoded(signature), nil
}

func encoded(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// parseKey reads an RSA key in PEM, as GitHub hands it out or in PKCS #8.
func parseKey(text string) (*rsa.PrivateKey, error) {
	if block, _ := pem.Decode([]byte(text)); block != nil {
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if key, ok := key.(*rsa.PrivateKey); ok {
				return key, nil
			}
		}
	}
	return nil, misconfigured("%s is no RSA key in PEM", privateKey)
}
