package gitsource

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
)

// TestAGitHubAppSignsIn reaches a repository with a token that GitHub hands out
// to an App, found by its owner, and asks for one only once.
func TestAGitHubAppSignsIn(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		switch r.Method + " " + r.URL.Path {
		case "GET /app/installations":
			fmt.Fprint(w, `[{"id":41,"account":{"login":"you"}},{"id":42,"account":{"login":"Me"}}]`)
		case "POST /app/installations/42/access_tokens":
			fmt.Fprint(w, `{"token":"ghs_hunter2","expires_at":"2999-01-01T00:00:00Z"}`)
		default:
			http.Error(w, "hunter2", http.StatusNotFound)
		}
	}))
	defer api.Close()
	data := map[string]string{
		"githubAppID": "7", "githubAppInstallationOwner": "me", "githubAppBaseURL": api.URL,
		"githubAppPrivateKey": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
	}
	stranger := map[string]string{}
	for name, value := range data {
		stranger[name] = value
	}
	stranger["githubAppInstallationOwner"] = "nobody"
	w := newWorld(t, Options{}, secret("app", data), secret("stranger", stranger))
	w.server.Allow = func(r *http.Request) bool {
		user, password, _ := r.BasicAuth()
		return user == "x-access-token" && password == "ghs_hunter2"
	}
	use := func(name string) func(*sourcev1.GitRepository) {
		return func(obj *sourcev1.GitRepository) {
			obj.Spec.Provider, obj.Spec.SecretRef = sourcev1.GitProviderGitHub, &meta.LocalObjectReference{Name: name}
		}
	}
	w.repository("home", use("app"))
	obj, _ := w.reconcile("home")
	expect(t, obj, ready, stored)
	w.push("y")
	obj, _ = w.reconcile("home")
	if expect(t, obj, ready, stored); w.files(obj)["apps/a.yaml"] != "y" {
		t.Error("the second commit is not there")
	}
	if got := strings.Join(asked, ", "); got != "GET /app/installations, POST /app/installations/42/access_tokens" {
		t.Errorf("GitHub was asked %s", got)
	}

	w.repository("other", use("stranger"))
	obj, _ = w.reconcile("other")
	if message := conditions.GetMessage(obj, meta.ReadyCondition); !strings.Contains(message, "it is not installed for nobody") || strings.Contains(message, "hunter2") {
		t.Errorf("Ready says %q", message)
	}
}
