package ocisource

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/source"
	"hearth/internal/source/ocitest"
)

func pullSecret(t *testing.T, name string, auths map[string]map[string]string) *corev1.Secret {
	t.Helper()
	content, err := json.Marshal(map[string]any{"auths": auths})
	if err != nil {
		t.Fatal(err)
	}
	return secret(name, map[string]string{corev1.DockerConfigJsonKey: string(content)})
}

func ref(name string) *meta.LocalObjectReference { return &meta.LocalObjectReference{Name: name} }

func TestLogins(t *testing.T) {
	registry := ocitest.New(t)
	registry.Username, registry.Password = "owner", "hunter2"
	login := map[string]map[string]string{registry.Host(): {"username": "owner", "password": "hunter2"}}
	w := newWorldOf(t, registry, source.ChartOptions{},
		pullSecret(t, "right", login), pullSecret(t, "wrong", map[string]map[string]string{registry.Host(): {"username": "owner", "password": "guess"}}),
		pullSecret(t, "elsewhere", map[string]map[string]string{"ghcr.io": {"username": "owner", "password": "hunter2"}}),
		secret("broken", map[string]string{corev1.DockerConfigJsonKey: "hunter2"}), secret("empty", nil), secret("proxy", map[string]string{"address": "http://u:hunter2@[::1"}),
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "puller"}, ImagePullSecrets: []corev1.LocalObjectReference{{Name: "elsewhere"}, {Name: "right"}}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "lost"}, ImagePullSecrets: []corev1.LocalObjectReference{{Name: "none"}}},
	)
	w.push("x")
	for name, test := range map[string]struct {
		change func(*sourcev1.OCIRepositorySpec)
		reason string
		stall  bool
		says   string
	}{
		"right":     {change: func(s *sourcev1.OCIRepositorySpec) { s.SecretRef = ref("right") }},
		"account":   {change: func(s *sourcev1.OCIRepositorySpec) { s.ServiceAccountName = "puller" }},
		"nobody":    {func(*sourcev1.OCIRepositorySpec) {}, "OCIArtifactPullFailed", false, "UNAUTHORIZED"},
		"wrong":     {func(s *sourcev1.OCIRepositorySpec) { s.SecretRef = ref("wrong") }, "OCIArtifactPullFailed", false, "UNAUTHORIZED"},
		"elsewhere": {func(s *sourcev1.OCIRepositorySpec) { s.SecretRef = ref("elsewhere") }, "OCIArtifactPullFailed", false, "UNAUTHORIZED"},
		"none":      {func(s *sourcev1.OCIRepositorySpec) { s.SecretRef = ref("none") }, "AuthenticationFailed", false, "failed to get secret 'ns/none'"},
		"broken":    {func(s *sourcev1.OCIRepositorySpec) { s.SecretRef = ref("broken") }, "AuthenticationFailed", false, "no Docker configuration"},
		"empty":     {func(s *sourcev1.OCIRepositorySpec) { s.SecretRef = ref("empty") }, "AuthenticationFailed", false, "has no key '.dockerconfigjson'"},
		"unknown":   {func(s *sourcev1.OCIRepositorySpec) { s.ServiceAccountName = "unknown" }, "AuthenticationFailed", false, "serviceaccount 'ns/unknown' not found"},
		"lost":      {func(s *sourcev1.OCIRepositorySpec) { s.ServiceAccountName = "lost" }, "AuthenticationFailed", false, "secret 'ns/none' not found"},
		"aws":       {func(s *sourcev1.OCIRepositorySpec) { s.Provider = "aws" }, "InvalidProviderConfiguration", true, "cannot sign in with the provider 'aws'"},
		"aws-login": {change: func(s *sourcev1.OCIRepositorySpec) { s.Provider, s.SecretRef = "aws", ref("right") }},
		"no-certs":  {func(s *sourcev1.OCIRepositorySpec) { s.CertSecretRef = ref("none") }, "AuthenticationFailed", false, "failed to generate transport"},
		"no-proxy":  {func(s *sourcev1.OCIRepositorySpec) { s.ProxySecretRef = ref("none") }, "AuthenticationFailed", false, "failed to get proxy address"},
		"bad-proxy": {func(s *sourcev1.OCIRepositorySpec) { s.ProxySecretRef = ref("proxy") }, "AuthenticationFailed", false, "is no URL"},
	} {
		t.Run(name, func(t *testing.T) {
			w.repository(name, func(obj *sourcev1.OCIRepository) { test.change(&obj.Spec) })
			obj, _ := w.reconcile(name)
			message := conditions.GetMessage(obj, meta.ReadyCondition)
			if conditions.IsReady(obj) != (test.reason == "") || test.reason != "" && conditions.GetReason(obj, meta.ReadyCondition) != test.reason ||
				conditions.IsStalled(obj) != test.stall || !strings.Contains(message, test.says) {
				t.Errorf("%v", obj.Status.Conditions)
			}
			if strings.Contains(message, "hunter2") {
				t.Error("the message cites the password")
			}
		})
	}
}

// TestWhatOneWasShownIsNotShownToOthers asks for the same artifact with and
// without credentials, while the answer is fresh.
func TestWhatOneWasShownIsNotShownToOthers(t *testing.T) {
	registry := ocitest.New(t)
	registry.Username, registry.Password = "owner", "hunter2"
	w := newWorldOf(t, registry, source.ChartOptions{}, pullSecret(t, "right", map[string]map[string]string{registry.Host(): {"username": "owner", "password": "hunter2"}}))
	digest := w.push("x")
	for _, name := range []string{"owner", "stranger"} {
		w.repository(name, func(obj *sourcev1.OCIRepository) {
			obj.Spec.Interval.Duration, obj.Spec.Reference.Digest = time.Hour, digest
			if name == "owner" {
				obj.Spec.SecretRef = ref("right")
			}
		})
		obj, _ := w.reconcile(name)
		if conditions.IsReady(obj) != (name == "owner") {
			t.Errorf("%s: %s", name, conditions.GetMessage(obj, meta.ReadyCondition))
		}
	}
}

func TestCertificatesAndInsecure(t *testing.T) {
	registry := ocitest.NewTLS(t, tls.RequestClientCert)
	own := registry.Server().TLS.Certificates[0]
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: registry.Server().Certificate().Raw})
	der, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	var shown atomic.Int64
	registry.Spoil = func(_ http.ResponseWriter, r *http.Request) bool {
		shown.Add(int64(len(r.TLS.PeerCertificates)))
		return false
	}
	w := newWorldOf(t, registry, source.ChartOptions{},
		secret("ca", map[string]string{"ca.crt": string(ca)}), secret("all", map[string]string{"ca.crt": string(ca), "tls.crt": string(ca), "tls.key": string(key)}))
	w.push("x")
	for name, test := range map[string]struct {
		certs    string
		insecure bool
		ok       bool
	}{
		"nobody-trusted": {"", false, false}, "anybody-trusted": {"", true, true}, "authority": {"ca", false, true}, "client": {"all", false, true},
	} {
		w.repository(name, func(obj *sourcev1.OCIRepository) {
			obj.Spec.Insecure = test.insecure
			if test.certs != "" {
				obj.Spec.CertSecretRef = ref(test.certs)
			}
		})
		shown.Store(0)
		if obj, _ := w.reconcile(name); conditions.IsReady(obj) != test.ok || (shown.Load() > 0) != (test.certs == "all") {
			t.Errorf("%s: %d certificates shown; %s", name, shown.Load(), conditions.GetMessage(obj, meta.ReadyCondition))
		}
	}
}

func TestProxy(t *testing.T) {
	var used atomic.Int64
	proxy := httptest.NewServer(&httputil.ReverseProxy{ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) {
		used.Add(1)
		r.Out.URL = r.In.URL
	}})
	t.Cleanup(proxy.Close)
	w := newWorld(t, secret("proxy", map[string]string{"address": proxy.URL}))
	w.push("x")
	w.repository("home", func(obj *sourcev1.OCIRepository) { obj.Spec.ProxySecretRef = ref("proxy") })
	obj, _ := w.reconcile("home")
	if expect(t, obj, ready, stored); used.Load() == 0 {
		t.Error("the proxy was not used")
	}
}

func TestPrivateRegistriesCanBeRefused(t *testing.T) {
	w := newWorldOf(t, ocitest.New(t), source.ChartOptions{RefusePrivate: true})
	w.push("x")
	w.repository("home", nil)
	obj, _ := w.reconcile("home")
	if message := conditions.GetMessage(obj, meta.ReadyCondition); !strings.Contains(message, "private address") || w.registry.Requests.Load() > 0 {
		t.Errorf("%d requests, Ready says %q", w.registry.Requests.Load(), message)
	}
}

func TestTimeout(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	w.registry.Spoil = func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		return true
	}
	w.repository("home", func(obj *sourcev1.OCIRepository) { obj.Spec.Timeout = &metav1.Duration{Duration: time.Millisecond} })
	obj, _ := w.reconcile("home")
	if message := conditions.GetMessage(obj, meta.ReadyCondition); !strings.Contains(message, "deadline exceeded") {
		t.Errorf("Ready says %q", message)
	}
}
