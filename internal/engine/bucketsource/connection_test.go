package bucketsource

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/source/bucket/buckettest"
)

func secretOf(name string, data map[string][]byte) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: name}, Data: data}
}

// serveTLS serves over TLS, to clients with any certificate, and returns what a
// Secret needs to hold.
func serveTLS(t *testing.T, handler http.Handler) (url string, data map[string][]byte) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	private, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return server.URL, map[string][]byte{
		"ca.crt": certificate, "tls.crt": certificate, "tls.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}
}

// outcome reconciles once, and holds the outcome to what is wanted.
func (w *world) outcome(name, wrong string) {
	w.t.Helper()
	obj, _ := w.reconcile()
	ready := conditions.Get(obj, meta.ReadyCondition)
	if wrong == "" && ready.Status != metav1.ConditionTrue || wrong != "" && (ready.Status != metav1.ConditionFalse || !strings.Contains(ready.Message, wrong)) {
		w.t.Errorf("%s: Ready is %+v, want %q", name, ready, wrong)
	}
	if strings.Contains(ready.Message, "hunter2") {
		w.t.Errorf("%s: a secret is told: %s", name, ready.Message)
	}
}

func TestBucketOverTLS(t *testing.T) {
	server := buckettest.New()
	server.Put("home", map[string]string{"a": "a"})
	url, data := serveTLS(t, server)
	authority := map[string][]byte{"ca.crt": data["ca.crt"]}
	for name, test := range map[string]struct {
		data map[string][]byte
		err  string
	}{
		"an authority and a certificate": {data, ""},
		"no certificate":                 {authority, "certificate"},
		"nothing":                        {map[string][]byte{}, "failed to get TLS config"},
	} {
		w := newWorld(t, Options{}, func(b *sourcev1.Bucket) {
			b.Spec.Endpoint, b.Spec.Insecure = strings.TrimPrefix(url, "https://"), false
			b.Spec.CertSecretRef = &meta.LocalObjectReference{Name: "tls"}
		}, secretOf("tls", test.data))
		w.outcome(name, test.err)
	}
}

func TestBucketThroughAProxy(t *testing.T) {
	passed := 0
	relay := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {}}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		basic := http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
		if user, password, _ := basic.BasicAuth(); user != "me" || password != "hunter2" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		passed++
		r.Header.Del("Proxy-Authorization")
		relay.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	for name, test := range map[string]struct{ password, err string }{
		"the password": {"hunter2", ""},
		"another one":  {"hunter3", "failed to confirm existence"},
	} {
		passed = 0
		w := newWorld(t, Options{}, func(b *sourcev1.Bucket) { b.Spec.ProxySecretRef = &meta.LocalObjectReference{Name: "proxy"} },
			secretOf("proxy", map[string][]byte{"address": []byte(proxy.URL), "username": []byte("me"), "password": []byte(test.password)}))
		w.outcome(name, test.err)
		if (passed > 0) != (test.err == "") {
			t.Errorf("%s: %d requests passed the proxy", name, passed)
		}
	}
}

func TestBucketWithKeysOfADirectory(t *testing.T) {
	ldap := buckettest.LDAP{Username: "me", Password: "hunter2", AccessKey: "temporary", SecretKey: "key", Token: "token"}
	plain := httptest.NewServer(ldap)
	t.Cleanup(plain.Close)
	secure, data := serveTLS(t, ldap)
	ref := func(name string) *meta.LocalObjectReference { return &meta.LocalObjectReference{Name: name} }
	for name, test := range map[string]struct {
		sts   sourcev1.BucketSTSSpec
		login map[string][]byte
		err   string
	}{
		"the password":         {sourcev1.BucketSTSSpec{Endpoint: plain.URL, SecretRef: ref("login")}, map[string][]byte{"username": []byte("me"), "password": []byte("hunter2")}, ""},
		"over TLS":             {sourcev1.BucketSTSSpec{Endpoint: secure, SecretRef: ref("login"), CertSecretRef: ref("tls")}, map[string][]byte{"username": []byte("me"), "password": []byte("hunter2")}, ""},
		"without certificates": {sourcev1.BucketSTSSpec{Endpoint: secure, SecretRef: ref("login")}, map[string][]byte{"username": []byte("me"), "password": []byte("hunter2")}, "certificate"},
		"another password":     {sourcev1.BucketSTSSpec{Endpoint: plain.URL, SecretRef: ref("login")}, map[string][]byte{"username": []byte("me"), "password": []byte("hunter3")}, "Access denied"},
		"nobody":               {sourcev1.BucketSTSSpec{Endpoint: plain.URL}, nil, "Access denied"},
		"half a login":         {sourcev1.BucketSTSSpec{Endpoint: plain.URL, SecretRef: ref("login")}, map[string][]byte{"password": []byte("hunter2")}, "invalid 'login' secret data for 'ldap' STS provider: required fields username, password"},
		"no Secret":            {sourcev1.BucketSTSSpec{Endpoint: plain.URL, SecretRef: ref("none")}, nil, "failed to get STS secret 'ns/none'"},
	} {
		test.sts.Provider = sourcev1.STSProviderLDAP
		w := newWorld(t, Options{}, func(b *sourcev1.Bucket) { b.Spec.STS = &test.sts }, secretOf("login", test.login), secretOf("tls", data))
		w.server.Keys, w.server.Tokens = map[string]string{"temporary": "key"}, map[string]string{"temporary": "token"}
		w.outcome(name, test.err)
	}
}
