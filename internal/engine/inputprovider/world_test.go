package inputprovider

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/yaml"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/domain"
	"hearth/internal/engine/fluxoperator"
	"hearth/internal/kube/scheme"
)

// world is one provider and its reconciler.
type world struct {
	t           *testing.T
	client      client.Client
	r           *reconciler
	events      *record.FakeRecorder
	assumptions *domain.Assumptions
	now         time.Time
	generation  int64
}

func newWorld(t *testing.T, others ...client.Object) *world {
	t.Helper()
	w := &world{t: t, events: record.NewFakeRecorder(100), assumptions: &domain.Assumptions{}, now: time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)}
	w.client = fake.NewClientBuilder().WithScheme(scheme.New()).WithStatusSubresource(&provider{}).WithObjects(others...).Build()
	w.r = &reconciler{
		o:      Options{Assumptions: w.assumptions, Now: func() time.Time { return w.now }},
		client: w.client,
		desk:   &fluxoperator.Desk[*provider]{Client: w.client, Recorder: w.events, New: func() *provider { return &provider{} }},
	}
	return w
}

func secret(name string, data map[string]string) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: name}, Data: map[string][]byte{}}
	for key, value := range data {
		s.Data[key] = []byte(value)
	}
	return s
}

// spec writes the provider's spec.
func (w *world) spec(text string) {
	w.t.Helper()
	p := &provider{}
	err := w.client.Get(w.t.Context(), types.NamespacedName{Namespace: "apps", Name: "p"}, p)
	known := err == nil
	p.Namespace, p.Name, p.UID = "apps", "p", "11111111-2222-3333-4444-555555555555"
	p.Spec = fluxcdv1.InputProviderSpec{}
	if err := yaml.UnmarshalStrict([]byte(text), &p.Spec); err != nil {
		w.t.Fatal(err)
	}
	w.generation++
	p.Generation = w.generation
	if known {
		err = w.client.Update(w.t.Context(), p)
	} else {
		err = w.client.Create(w.t.Context(), p)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) annotate(key, value string) {
	w.t.Helper()
	p := &provider{}
	if err := w.client.Get(w.t.Context(), types.NamespacedName{Namespace: "apps", Name: "p"}, p); err != nil {
		w.t.Fatal(err)
	}
	metav1.SetMetaDataAnnotation(&p.ObjectMeta, key, value)
	if err := w.client.Update(w.t.Context(), p); err != nil {
		w.t.Fatal(err)
	}
}

// reconcile reconciles once and returns the provider as it is then.
func (w *world) reconcile() (*provider, reconcile.Result) {
	w.t.Helper()
	key := types.NamespacedName{Namespace: "apps", Name: "p"}
	result, err := w.r.Reconcile(w.t.Context(), reconcile.Request{NamespacedName: key})
	if err != nil {
		w.t.Fatal(err)
	}
	p := &provider{}
	if err := w.client.Get(w.t.Context(), key, p); err != nil {
		w.t.Fatal(err)
	}
	return p, result
}

// exports reconciles and returns the exported inputs, a line each.
func (w *world) exports() []string {
	w.t.Helper()
	p, _ := w.reconcile()
	if !conditions.IsReady(p) {
		w.t.Fatalf("the provider is not ready: %s", conditions.GetMessage(p, "Ready"))
	}
	var lines []string
	for _, input := range p.Status.ExportedInputs {
		data, err := json.Marshal(input)
		if err != nil {
			w.t.Fatal(err)
		}
		lines = append(lines, string(data))
	}
	return lines
}

// fails reconciles and returns the message.
func (w *world) fails(reason string) string {
	w.t.Helper()
	p, _ := w.reconcile()
	if !conditions.IsFalse(p, "Ready") || conditions.GetReason(p, "Ready") != reason {
		w.t.Fatalf("Ready is %v, want False for the reason %s", conditions.Get(p, "Ready"), reason)
	}
	return conditions.GetMessage(p, "Ready")
}

// answers serves bodies by path and query; a body that begins with "next " has
// another page behind it.
func answers(t *testing.T, authorization string, bodies map[string]string) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != authorization {
			http.Error(rw, "who are you?", http.StatusUnauthorized)
			return
		}
		body, ok := bodies[r.URL.RequestURI()]
		if !ok {
			t.Errorf("unexpected request %s", r.URL.RequestURI())
			http.NotFound(rw, r)
			return
		}
		if rest, more := strings.CutPrefix(body, "next "); more {
			rw.Header().Set("Link", fmt.Sprintf("<http://%s/ignored>; rel=\"first\", <http://%s/whatever>; rel=\"next\"", r.Host, r.Host))
			body = rest
		}
		_, _ = rw.Write([]byte(body))
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(server.Close)
	return server
}

func artifact(namespace, name, label, revision string) *sourcev1.ExternalArtifact {
	a := &sourcev1.ExternalArtifact{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": label}}}
	if revision != "" {
		a.Status.Artifact = sourceArtifact(revision)
	}
	return a
}
