package notification

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// issuer signs tokens, and tells its keys over HTTP as OpenID Connect says.
type issuer struct {
	url string
	key *ecdsa.PrivateKey
}

func startIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": i.url, "jwks_uri": i.url + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"}})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "one", Algorithm: "ES256", Use: "sig"}}})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i.url = server.URL
	return i
}

// sign returns a token of these claims, which the defaults complete.
func (i *issuer) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	all := map[string]any{"iss": i.url, "aud": "notification-controller", "sub": "job", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix()}
	for name, value := range claims {
		all[name] = value
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.key, KeyID: "one"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAnIssuersTokenIsBelieved(t *testing.T) {
	ours, other := startIssuer(t), startIssuer(t)
	forger := &issuer{url: ours.url, key: other.key}
	providers := []notificationv1.OIDCProvider{{
		IssuerURL: ours.url,
		Variables: []notificationv1.OIDCVariable{
			{Name: "owner", Expression: "claims.repository_owner"},
			{Name: "allowed", Expression: "[vars.owner + '/homelab']"},
		},
		Validations: []notificationv1.OIDCValidation{
			{Expression: "vars.owner == 'me'", Message: "wrong owner"},
			{Expression: "claims.repository in vars.allowed", Message: "wrong repository"},
		},
	}}
	mine := map[string]any{"repository_owner": "me", "repository": "me/homelab"}
	with := func(key string, value any) map[string]any {
		claims := map[string]any{key: value}
		for k, v := range mine {
			if k != key {
				claims[k] = v
			}
		}
		return claims
	}
	tests := map[string]struct {
		header string
		err    string
	}{
		"ours":               {header: "Bearer " + ours.sign(t, mine)},
		"another owner":      {header: "Bearer " + ours.sign(t, with("repository_owner", "you")), err: "wrong owner; wrong repository"},
		"another repository": {header: "Bearer " + ours.sign(t, with("repository", "me/other")), err: "failed: wrong repository"},
		"a missing claim":    {header: "Bearer " + ours.sign(t, nil), err: `variable "owner"`},
		"another audience":   {header: "Bearer " + ours.sign(t, with("aud", "somebody")), err: "audience"},
		"expired":            {header: "Bearer " + ours.sign(t, with("exp", time.Now().Add(-time.Hour).Unix())), err: "expired"},
		"signed by another":  {header: "Bearer " + forger.sign(t, mine), err: "failed to verify signature"},
		"of another issuer":  {header: "Bearer " + other.sign(t, mine), err: "none of spec.oidcProviders"},
		"no JWT":             {header: "Bearer c4n4ry", err: "no JWT"},
		"no bearer":          {header: "Basic c4n4ry", err: "no bearer token"},
		"nothing":            {err: "no bearer token"},
	}
	known := newIdentities(guard{private: true})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			claims, err := known.claims(t.Context(), providers, headers("Authorization", test.header))
			if (err != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Fatalf("error %v, want %q", err, test.err)
			}
			if err != nil && strings.Contains(err.Error(), "c4n4ry") {
				t.Errorf("the error tells the token: %v", err)
			}
			if err == nil && claims["repository"] != "me/homelab" {
				t.Errorf("claims %v", claims)
			}
		})
	}
	if _, err := newIdentities(guard{}).claims(t.Context(), providers, headers("Authorization", "Bearer "+ours.sign(t, mine))); err == nil || !strings.Contains(err.Error(), "refused to connect") {
		t.Errorf("a private issuer was asked: %v", err)
	}
}

func TestAFilterSeesTheIssuersClaims(t *testing.T) {
	obj := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "homelab"}}
	spec := &notificationv1.ReceiverSpec{
		Type: notificationv1.GenericOIDCReceiver, ResourceFilter: "claims.repository == 'me/' + res.metadata.name", Resources: make([]notificationv1.ReceiverResource, 1),
	}
	for repository, want := range map[string]bool{"me/homelab": true, "me/other": false} {
		filters, err := filtersOf(spec, http.Header{}, nil, map[string]any{"repository": repository})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := filters[0].accepts(t.Context(), obj); err != nil || got != want {
			t.Errorf("%s: accepted %v, %v", repository, got, err)
		}
	}
	spec.Type = notificationv1.GenericReceiver
	if _, err := filtersOf(spec, http.Header{}, nil, nil); err == nil {
		t.Error("a Receiver without issuers knows claims")
	}
}

func TestIssuersAreChecked(t *testing.T) {
	valid := notificationv1.OIDCProvider{IssuerURL: "https://issuer.example", Validations: []notificationv1.OIDCValidation{{Expression: "claims.sub == 'a'", Message: "no"}}}
	change := func(f func(*notificationv1.OIDCProvider)) []notificationv1.OIDCProvider {
		p := *valid.DeepCopy()
		f(&p)
		return []notificationv1.OIDCProvider{p}
	}
	tests := map[string]struct {
		kind      string
		providers []notificationv1.OIDCProvider
		want      string
	}{
		"one":           {notificationv1.GenericOIDCReceiver, []notificationv1.OIDCProvider{valid}, ""},
		"none":          {notificationv1.GenericOIDCReceiver, nil, "oidcProviders is required"},
		"another type":  {notificationv1.GenericReceiver, []notificationv1.OIDCProvider{valid}, "must not be set"},
		"twice":         {notificationv1.GenericOIDCReceiver, []notificationv1.OIDCProvider{valid, valid}, "duplicate"},
		"no URL":        {notificationv1.GenericOIDCReceiver, change(func(p *notificationv1.OIDCProvider) { p.IssuerURL = "issuer" }), "must start with"},
		"no validation": {notificationv1.GenericOIDCReceiver, change(func(p *notificationv1.OIDCProvider) { p.Validations = nil }), "at least one validation"},
		"no expression": {notificationv1.GenericOIDCReceiver, change(func(p *notificationv1.OIDCProvider) { p.Validations[0].Expression = "((" }), "invalid expression for validation"},
		"a broken variable": {notificationv1.GenericOIDCReceiver, change(func(p *notificationv1.OIDCProvider) {
			p.Variables = []notificationv1.OIDCVariable{{Name: "x", Expression: "nobody.knows"}}
		}), "invalid expression for variable"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			invalid, uncompiled := checkIssuers(&notificationv1.ReceiverSpec{Type: test.kind, OIDCProviders: test.providers})
			var got string
			for _, err := range []error{invalid, uncompiled} {
				if err != nil {
					got += err.Error()
				}
			}
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCDEventsAreBelieved(t *testing.T) {
	const event = `{"context":{"version":"0.4.1","id":"271069a8","source":"/event/source/123","type":"dev.cdevents.artifact.published.0.2.0","timestamp":"2023-03-20T14:27:05.315384Z"},"subject":{"id":"pkg:oci/app@sha256","type":"artifact","content":{}}}`
	tests := map[string]struct {
		body, kind string
		events     []string
		err        string
	}{
		"published":      {body: event, kind: "dev.cdevents.artifact.published.0.2.0", events: []string{"dev.cdevents.artifact.published.0.2.0"}},
		"another event":  {body: event, kind: "dev.cdevents.change.merged.0.2.0", events: []string{"dev.cdevents.artifact.published.0.2.0"}, err: "not authorised"},
		"no JSON":        {body: "c4n4ry{", err: "cannot decode"},
		"another type":   {body: strings.Replace(event, "dev.cdevents", "org.example", 1), err: "type"},
		"no id":          {body: strings.Replace(event, `"id":"271069a8",`, "", 1), err: "context"},
		"no subject":     {body: strings.Replace(event, `"subject"`, `"object"`, 1), err: "subject"},
		"no event asked": {body: event, kind: "x"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			spec := &notificationv1.ReceiverSpec{Type: notificationv1.CDEventsReceiver, Events: test.events}
			got, err := verify(spec, []byte(token), headers("Ce-Type", test.kind), []byte(test.body))
			if (err != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Fatalf("error %v, want %q", err, test.err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(hit{event: test.kind, id: "271069a8"}, got, cmp.AllowUnexported(hit{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
