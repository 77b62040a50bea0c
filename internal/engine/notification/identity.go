package notification

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
)

const (
	// maxIssuers bounds how many issuers' keys are kept.
	maxIssuers = 64
	// maxIdentity bounds a token, in bytes.
	maxIdentity   = 16 << 10
	issuerTimeout = 15 * time.Second
)

// identities checks the tokens that OpenID Connect issuers sign, for Receivers
// that believe these instead of a token of their own.
type identities struct {
	http *http.Client

	mu      sync.Mutex
	issuers map[string]*oidc.Provider
}

func newIdentities(g guard) *identities {
	dialer := &net.Dialer{Timeout: issuerTimeout, Control: g.control}
	return &identities{
		http: &http.Client{
			Timeout:       issuerTimeout,
			Transport:     &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: issuerTimeout, MaxResponseHeaderBytes: 64 << 10},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		issuers: map[string]*oidc.Provider{},
	}
}

// claims returns what a request's token says of its sender, once one of the
// Receiver's issuers is known to have signed it and all validations hold.
func (i *identities) claims(ctx context.Context, providers []notificationv1.OIDCProvider, header http.Header) (map[string]any, error) {
	raw, ok := strings.CutPrefix(header.Get("Authorization"), "Bearer ")
	raw = strings.TrimSpace(raw)
	if !ok || raw == "" || len(raw) > maxIdentity {
		return nil, errors.New("the Authorization header carries no bearer token")
	}
	name, err := issuerOf(raw)
	if err != nil {
		return nil, err
	}
	for _, provider := range providers {
		if provider.IssuerURL == name {
			return i.verify(ctx, provider, raw)
		}
	}
	return nil, errors.New("none of spec.oidcProviders is the token's issuer")
}

func (i *identities) verify(ctx context.Context, provider notificationv1.OIDCProvider, raw string) (map[string]any, error) {
	issuer, err := i.issuer(ctx, provider.IssuerURL)
	if err != nil {
		return nil, err
	}
	token, err := issuer.Verifier(&oidc.Config{ClientID: provider.GetAudience()}).Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("failed to verify the OIDC token: %w", err)
	}
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return nil, errors.New("failed to read the OIDC token's claims")
	}
	return claims, validate(ctx, provider, claims)
}

// issuer returns an issuer's keys; they are asked for anew where a token names
// one that is not among them.
func (i *identities) issuer(ctx context.Context, name string) (*oidc.Provider, error) {
	i.mu.Lock()
	known := i.issuers[name]
	i.mu.Unlock()
	if known != nil {
		return known, nil
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, i.http), name)
	if err != nil {
		var of *url.Error
		if errors.As(err, &of) {
			err = of.Err
		}
		return nil, fmt.Errorf("ask the issuer %s for its keys: %w", name, err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.issuers) >= maxIssuers {
		clear(i.issuers)
	}
	i.issuers[name] = found
	return found, nil
}

// issuerOf reads who a token claims to come from, which only says whom to ask.
func issuerOf(raw string) (string, error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return "", errors.New("the bearer token is no JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", errors.New("the bearer token is no JWT")
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Issuer == "" {
		return "", errors.New("the bearer token names no issuer")
	}
	return claims.Issuer, nil
}
