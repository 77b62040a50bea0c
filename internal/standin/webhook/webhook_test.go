package webhook

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
)

func listen(t *testing.T) (*Backend, *http.Client) {
	t.Helper()
	b, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b.authority.bundle)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "hook.apps.svc"}}
	t.Cleanup(transport.CloseIdleConnections)
	return b, &http.Client{Transport: transport}
}

func ask(t *testing.T, client *http.Client, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

func TestAnswers(t *testing.T) {
	b, client := listen(t)
	base := "https://" + b.address
	for name, c := range map[string]struct {
		method, path, body string
		code               int
		want               string
	}{
		"admission": {
			"POST", "/mutate?timeout=5s", `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u1"}}`,
			200, `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"allowed":true,"uid":"u1"}}`,
		},
		"conversion": {
			"POST", "/convert", `{"apiVersion":"apiextensions.k8s.io/v1","kind":"ConversionReview","request":{"uid":"u2","desiredAPIVersion":"a.b/v2","objects":[{"apiVersion":"a.b/v1","kind":"C","spec":{"n":1}}]}}`,
			200, `{"apiVersion":"apiextensions.k8s.io/v1","kind":"ConversionReview","response":{"convertedObjects":[{"apiVersion":"a.b/v2","kind":"C","spec":{"n":1}}],"result":{"status":"Success"},"uid":"u2"}}`,
		},
		"no review":  {"POST", "/x", `[]`, 400, ""},
		"other kind": {"POST", "/x", `{"kind":"Pod","request":{}}`, 400, ""},
		"discovery":  {"GET", "/apis/external.metrics.k8s.io/v1beta1", "", 200, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"external.metrics.k8s.io/v1beta1","resources":[]}`},
		"metrics":    {"GET", "/apis/metrics.k8s.io/v1beta1/namespaces/x/pods", "", 200, `{"apiVersion":"metrics.k8s.io/v1beta1","items":[],"kind":"PodMetricsList","metadata":{}}`},
		"nothing":    {"GET", "/openapi/v2", "", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, body := ask(t, client, c.method, base+c.path, c.body)
			if code != c.code || c.want != "" && body != c.want {
				t.Errorf("answered %d %s", code, body)
			}
		})
	}
}

func TestUnknownServiceIsUnavailable(t *testing.T) {
	b, _ := listen(t)
	if u, err := b.Resolve("apps", "hook", 443); err == nil || !strings.Contains(err.Error(), `no endpoints available for service "hook"`) {
		t.Errorf("before any pod runs: %v %v", u, err)
	}
}

func TestPatchOnlyWhereTheAuthorityIsMissing(t *testing.T) {
	b, _ := listen(t)
	service := admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{}}
	trusted := service
	trusted.CABundle = b.authority.bundle
	hook := &admissionv1.MutatingWebhookConfiguration{Webhooks: []admissionv1.MutatingWebhook{
		{Name: "has", ClientConfig: trusted}, {Name: "url"}, {Name: "lacks", ClientConfig: service},
	}}
	raw, err := b.patch(mutatingPlaces(hook))
	if err != nil {
		t.Fatal(err)
	}
	var ops []struct {
		Op, Path string
		Value    json.RawMessage
	}
	if err := json.Unmarshal(raw, &ops); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, op := range ops {
		paths = append(paths, op.Op+" "+op.Path)
	}
	if diff := cmp.Diff([]string{"test /webhooks/2/name", "add /webhooks/2/clientConfig/caBundle"}, paths); diff != "" {
		t.Error(diff)
	}
	hook.Webhooks = hook.Webhooks[:2]
	if raw, err := b.patch(mutatingPlaces(hook)); raw != nil || err != nil {
		t.Errorf("nothing is missing, and yet: %s %v", raw, err)
	}
}

// FuzzReview holds the reviews' reader to answering, whatever it is sent.
func FuzzReview(f *testing.F) {
	f.Add([]byte(`{"kind":"AdmissionReview","request":{"uid":"u"}}`))
	f.Add([]byte(`{"kind":"ConversionReview","request":{"objects":[null,{}]}}`))
	handler := answers()
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := http.NewRequest("POST", "/", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		w := &recorder{header: http.Header{}}
		handler.ServeHTTP(w, req)
		if w.code != 200 && w.code != 400 {
			t.Errorf("answered %d", w.code)
		}
		if !json.Valid(w.body.Bytes()) {
			t.Errorf("answered no JSON: %q", w.body.Bytes())
		}
	})
}

type recorder struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(code int)        { r.code = code }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
