package inputprovider

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// gitHubToken returns the password of the Secret, or the token of the GitHub
// App that it describes, or "" without a Secret.
func (c *connection) gitHubToken(ctx context.Context, api *url.URL) (string, error) {
	app, err := c.value("githubAppID")
	if err != nil {
		return c.password()
	}
	installation, err := c.value("githubAppInstallationID")
	if err != nil {
		return "", err
	}
	for _, number := range []string{app, installation} {
		if _, err := strconv.ParseUint(number, 10, 64); err != nil {
			return "", errors.New("invalid secret: githubAppID and githubAppInstallationID must be numbers")
		}
	}
	key, err := c.privateKey("githubAppPrivateKey")
	if err != nil {
		return "", err
	}
	now := time.Now()
	// A minute ago, since clocks differ.
	claims := fmt.Sprintf(`{"iss":%q,"iat":%d,"exp":%d}`, app, now.Add(-time.Minute).Unix(), now.Add(5*time.Minute).Unix())
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	sum := sha256.Sum256([]byte(unsigned))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", errors.New("the key of the GitHub App cannot sign")
	}
	header := http.Header{"Authorization": {"Bearer " + unsigned + "." + base64.RawURLEncoding.EncodeToString(signature)}}
	var token struct{ Token string }
	if _, err := c.ask(ctx, http.MethodPost, api.JoinPath("app/installations", installation, "access_tokens"), header, maxBody, &token); err != nil {
		return "", fmt.Errorf("could not log in as GitHub App: %w", err)
	}
	if token.Token == "" {
		return "", errors.New("could not log in as GitHub App: there is no token in the answer")
	}
	return token.Token, nil
}

// privateKey reads an RSA key in PEM, as GitHub hands it out or in PKCS #8.
func (c *connection) privateKey(name string) (*rsa.PrivateKey, error) {
	text, err := c.value(name)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode([]byte(text)); block != nil {
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if rsaKey, ok := key.(*rsa.PrivateKey); ok {
				return rsaKey, nil
			}
		}
	}
	return nil, fmt.Errorf("invalid secret: key '%s' is no RSA key in PEM", name)
}
