// Package githubapp signs in to GitHub as a GitHub App: for the App's key, which
// a Secret holds, GitHub hands out tokens that last an hour. They are kept until
// shortly before they expire. How GitHub is reached, and what to make of its
// refusals, is left to the caller; no error holds a key or a token.
package githubapp

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Keys of a Secret that signs in as a GitHub App, as with Flux.
const (
	IDKey           = "githubAppID"
	ownerKey        = "githubAppInstallationOwner"
	installationKey = "githubAppInstallationID"
	privateKey      = "githubAppPrivateKey"
	baseURLKey      = "githubAppBaseURL"
)

// Username goes with a token where Git wants a name and a password.
const Username = "x-access-token"

// ErrMisconfigured says that the Secret has to be put right first.
var ErrMisconfigured = errors.New("GitHub App")

// Login is what a Secret says of an App and its installation.
type Login struct {
	api                          *url.URL
	id, owner, installation, key string
}

// Read reads a Secret's data; api is asked where the Secret names no other URL.
// The error is ErrMisconfigured.
func Read(data map[string][]byte, api *url.URL) (Login, error) {
	value := func(key string) string { return strings.TrimSpace(string(data[key])) }
	l := Login{api: api, id: value(IDKey), owner: value(ownerKey), installation: value(installationKey), key: value(privateKey)}
	if base := value(baseURLKey); base != "" {
		u, err := url.ParseRequestURI(base)
		if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
			return l, misconfigured("%s is no URL", baseURLKey)
		}
		l.api = u
	}
	if l.id == "" || l.key == "" {
		return l, misconfigured("the Secret needs the keys %s and %s", IDKey, privateKey)
	}
	if (l.owner == "") == (l.installation == "") {
		return l, misconfigured("the Secret needs exactly one of the keys %s and %s", ownerKey, installationKey)
	}
	if _, err := strconv.ParseUint(l.installation, 10, 64); l.installation != "" && err != nil {
		return l, misconfigured("%s is no number", installationKey)
	}
	_, err := parseKey(l.key)
	return l, err
}

func misconfigured(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMisconfigured, fmt.Sprintf(format, args...))
}

// Ask makes a request to GitHub and reads the JSON of its answer.
type Ask func(ctx context.Context, method string, u *url.URL, header map[string]string, into any) error

// Tokens keeps the tokens of Apps' installations. The zero value is ready to
// use; its methods may be called concurrently.
type Tokens struct {
	mu   sync.Mutex
	kept map[[sha256.Size]byte]token
}

type token struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Get returns a token that lasts for some minutes more.
func (t *Tokens) Get(ctx context.Context, l Login, ask Ask) (string, error) {
	key := sha256.Sum256([]byte(strings.Join([]string{l.api.String(), l.id, l.owner, l.installation, l.key}, "\x00")))
	if kept, ok := t.get(key); ok {
		return kept, nil
	}
	assertion, err := l.assert(time.Now())
	if err != nil {
		return "", err
	}
	header := Header(assertion)
	installation, err := l.find(ctx, ask, header)
	if err != nil {
		return "", err
	}
	var got token
	if err := ask(ctx, http.MethodPost, l.api.JoinPath("app/installations", installation, "access_tokens"), header, &got); err != nil {
		return "", fmt.Errorf("could not sign in as GitHub App: %w", err)
	}
	if got.Token == "" {
		return "", errors.New("could not sign in as GitHub App: GitHub gave no token")
	}
	t.put(key, got)
	return got.Token, nil
}

// Header is what GitHub's API expects with a token.
func Header(token string) map[string]string {
	return map[string]string{
		"Accept":               "application/vnd.github+json",
		"Authorization":        "Bearer " + token,
		"X-GitHub-Api-Version": "2022-11-28",
	}
}

const (
	installationsPerPage = 100
	maxPages             = 20
)

// find returns the number of the installation, which is looked for where only
// its owner is known.
func (l Login) find(ctx context.Context, ask Ask, header map[string]string) (string, error) {
	if l.installation != "" {
		return l.installation, nil
	}
	for page := 1; page <= maxPages; page++ {
		u := l.api.JoinPath("app/installations")
		u.RawQuery = fmt.Sprintf("per_page=%d&page=%d", installationsPerPage, page)
		var list []struct {
			ID      uint64 `json:"id"`
			Account struct {
				Login string `json:"login"`
			} `json:"account"`
		}
		if err := ask(ctx, http.MethodGet, u, header, &list); err != nil {
			return "", fmt.Errorf("could not list the installations of the GitHub App: %w", err)
		}
		for _, one := range list {
			if strings.EqualFold(one.Account.Login, l.owner) {
				return strconv.FormatUint(one.ID, 10), nil
			}
		}
		if len(list) < installationsPerPage {
			break
		}
	}
	return "", misconfigured("it is not installed for %s", l.owner)
}

func (t *Tokens) get(key [sha256.Size]byte) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept, ok := t.kept[key]
	return kept.Token, ok && time.Until(kept.ExpiresAt) > 5*time.Minute
}

func (t *Tokens) put(key [sha256.Size]byte, got token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil {
		t.kept = map[[sha256.Size]byte]token{}
	}
	for kept, old := range t.kept {
		if time.Now().After(old.ExpiresAt) {
			delete(t.kept, kept)
		}
	}
	t.kept[key] = got
}
