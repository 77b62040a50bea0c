package notification

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAGitHubAppLogsInOnce(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const login = "POST /api/v3/app/installations/42/access_tokens"
	l := &listener{answers: map[string]string{login: `{"token":"ghs_c4n4ry","expires_at":"2999-01-01T00:00:00Z"}`}}
	server := httptest.NewServer(l)
	defer server.Close()
	d := newDestination(server.URL + "/octocat/homelab")
	d.secret = map[string][]byte{
		"githubAppID": []byte("7"), "githubAppInstallationID": []byte("42"),
		"githubAppPrivateKey": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
	}
	for range 2 {
		if err := postGitHubDispatch(t.Context(), d, sampleEvent()); err != nil {
			t.Fatal(err)
		}
	}
	got := l.requests()
	if len(got) != 3 || got[0].method+" "+got[0].path != login || got[2].header.Get("Authorization") != "Bearer ghs_c4n4ry" {
		t.Fatalf("requests %+v, want one login and two messages", got)
	}
	parts := strings.Split(strings.TrimPrefix(got[0].header.Get("Authorization"), "Bearer "), ".")
	if len(parts) != 3 {
		t.Fatalf("the login is no JSON web token")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature); err != nil {
		t.Errorf("the login is not signed with the App's key: %v", err)
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || asJSON(t, string(claims)).(map[string]any)["iss"] != "7" {
		t.Errorf("the login claims %s", claims)
	}
}

func TestAGitHubAppsKeyIsNotTold(t *testing.T) {
	d := newDestination("https://github.com/octocat/homelab")
	d.secret = map[string][]byte{"githubAppID": []byte("7"), "githubAppInstallationID": []byte("42"), "githubAppPrivateKey": []byte("c4n4ry")}
	err := postGitHubDispatch(t.Context(), d, sampleEvent())
	if err == nil || strings.Contains(err.Error(), "c4n4ry") || !strings.Contains(err.Error(), "no RSA key") {
		t.Errorf("error %v", err)
	}
}
