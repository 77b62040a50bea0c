package notification

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Keys of a Secret that logs in as a GitHub App, as with Flux.
const (
	appIDKey           = "githubAppID"
	appInstallationKey = "githubAppInstallationID"
	appPrivateKey      = "githubAppPrivateKey"
	appBaseURLKey      = "githubAppBaseURL"
)

// appTokens keeps the tokens of GitHub Apps' installations until they expire.
// Its methods may be called concurrently.
type appTokens struct {
	mu   sync.Mutex
	kept map[[sha256.Size]byte]appToken
}

// appToken is what GitHub answers an App.
type appToken struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

func newAppTokens() *appTokens { return &appTokens{kept: map[[sha256.Size]byte]appToken{}} }

// appToken logs in as the GitHub App of the Secret.
func (d *destination) appToken(ctx context.Context, api *url.URL, owner string) (string, error) {
	id, installation := d.value(appIDKey), d.value(appInstallationKey)
	if id == "" || d.value(appPrivateKey) == "" {
		return "", permanent("the Provider's Secret holds neither a token nor the keys %s and %s of a GitHub App", appIDKey, appPrivateKey)
	}
	if base := d.value(appBaseURLKey); base != "" {
		u, err := url.ParseRequestURI(base)
		if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
			return "", permanent("%s in the Provider's Secret is no URL", appBaseURLKey)
		}
		api = u
	}
	if _, err := strconv.ParseUint(installation, 10, 64); err != nil {
		return "", permanent("the Provider's Secret needs the installation's number as %s: of %s it is in the App's settings", appInstallationKey, owner)
	}
	key := sha256.Sum256([]byte(strings.Join([]string{api.String(), id, installation, d.value(appPrivateKey)}, "\x00")))
	if token, ok := d.tokens.get(key); ok {
		return token, nil
	}
	assertion, err := assert(id, d.value(appPrivateKey), time.Now())
	if err != nil {
		return "", err
	}
	var token appToken
	err = d.do(ctx, call{
		method: http.MethodPost, url: api.JoinPath("app/installations", installation, "access_tokens"),
		header: githubHeader(assertion), into: &token,
	})
	if err != nil {
		return "", fmt.Errorf("could not log in as GitHub App: %w", err)
	}
	if token.Token == "" {
		return "", permanent("could not log in as GitHub App: GitHub gave no token")
	}
	d.hidden = append(d.hidden, token.Token)
	d.tokens.put(key, token)
	return token.Token, nil
}

func (d *destination) value(key string) string { return strings.TrimSpace(string(d.secret[key])) }

// assert signs that we are the App, from a minute ago, since clocks differ,
// for nine minutes.
func assert(id, privateKey string, now time.Time) (string, error) {
	key, err := parseKey(privateKey)
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{"iss": id, "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(9 * time.Minute).Unix()})
	if err != nil {
		return "", permanent("could not log in as GitHub App: %w", err)
	}
	signed := encoded([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encoded(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", permanent("could not log in as GitHub App: its key cannot sign")
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
	return nil, permanent("%s in the Provider's Secret is no RSA key in PEM", appPrivateKey)
}

// get returns a token that lasts for some minutes more.
func (t *appTokens) get(key [sha256.Size]byte) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	token, ok := t.kept[key]
	return token.Token, ok && time.Until(token.ExpiresAt) > 5*time.Minute
}

func (t *appTokens) put(key [sha256.Size]byte, token appToken) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for kept, old := range t.kept {
		if time.Now().After(old.ExpiresAt) {
			delete(t.kept, kept)
		}
	}
	t.kept[key] = token
}
