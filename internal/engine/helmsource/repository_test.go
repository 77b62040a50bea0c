package helmsource

import (
	"bytes"
	"encoding/pem"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/acl"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAnIndexIsStored(t *testing.T) {
	w := newWorld(t)
	w.offer("1.0.0")
	w.repository("stable", nil)
	obj := w.index("stable")
	says(t, obj, meta.SucceededReason, "stored artifact: revision 'sha256:")
	if obj.Status.Artifact == nil || obj.Status.URL != obj.Status.Artifact.URL || obj.Status.ObservedGeneration != 1 {
		t.Fatalf("%+v", obj.Status)
	}
	if events := w.heard(); len(events) != 1 || !strings.HasPrefix(events[0], "Normal NewArtifact stored fetched index of size") {
		t.Errorf("events %q", events)
	}
	again := w.index("stable")
	if again.ResourceVersion != obj.ResourceVersion {
		t.Error("an unchanged index was written again")
	}
	w.offer("1.0.0", "1.1.0")
	if changed := w.index("stable"); changed.Status.Artifact.Revision == obj.Status.Artifact.Revision {
		t.Error("a changed index was not stored")
	}
	changed := w.index("stable")
	changed.Annotations = map[string]string{meta.ReconcileRequestAnnotation: "now"}
	if err := w.client.Update(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	if handled := w.index("stable"); handled.Status.LastHandledReconcileAt != "now" {
		t.Errorf("handled %q", handled.Status.LastHandledReconcileAt)
	}
}

func TestAFailingRepositoryKeepsTheOldIndex(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*world)
		says  string
	}{
		"it is gone":             {func(w *world) { delete(w.files, "/index.yaml") }, "answers 404"},
		"no index":               {func(w *world) { w.files["/index.yaml"] = []byte("<html>") }, "reading its index"},
		"a huge index":           {func(w *world) { w.files["/index.yaml"] = bytes.Repeat([]byte("# huge\n"), 8<<20) }, "larger than"},
		"a bomb of aliases":      {func(w *world) { w.files["/index.yaml"] = aliasBomb() }, "reading its index"},
		"somebody else is asked": {func(w *world) { w.login = "owner:hunter2" }, "answers 401"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.offer("1.0.0")
			w.repository("stable", nil)
			before := w.index("stable")
			test.spoil(w)
			after := w.index("stable")
			says(t, after, meta.FailedReason, test.says)
			if diff := cmp.Diff(before.Status.Artifact, after.Status.Artifact); diff != "" || !conditions.IsTrue(after, sourcev1.FetchFailedCondition) {
				t.Error(diff)
			}
		})
	}
}

// aliasBomb is YAML that is small, and means very much.
func aliasBomb() []byte {
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		before, now := string(rune('0'+i)), string(rune('1'+i))
		text += "a" + now + ": &a" + now + " [" + strings.TrimSuffix(strings.Repeat("*a"+before+", ", 10), ", ") + "]\n"
	}
	return []byte(text + "entries: *a9\n")
}

func TestRepositoryLogins(t *testing.T) {
	w := newWorld(t, secret("right", map[string]string{"username": "owner", "password": "hunter2"}), secret("half", map[string]string{"username": "owner"}))
	w.offer("1.0.0")
	w.login = "owner:hunter2"
	for name, test := range map[string]struct{ secret, reason, says string }{
		"right": {"right", meta.SucceededReason, ""},
		"none":  {"none", "AuthenticationFailed", "failed to get authentication secret 'ns/none'"},
		"half":  {"half", "AuthenticationFailed", "failed to detect authentication methods"},
	} {
		w.repository(name, func(s *sourcev1.HelmRepositorySpec) { s.SecretRef = &meta.LocalObjectReference{Name: test.secret} })
		says(t, w.index(name), test.reason, test.says)
	}
	// The chart stands on another host.
	other := newWorld(t)
	other.offer("1.0.0")
	other.login = "owner:hunter2"
	w.files["/index.yaml"] = []byte("apiVersion: v1\nentries:\n  demo:\n  - {name: demo, version: 1.0.0, urls: [" + other.server.URL + "/demo-1.0.0.tgz]}\n")
	for _, pass := range []bool{false, true} {
		name := map[bool]string{true: "passing", false: "keeping"}[pass]
		w.repository(name, func(s *sourcev1.HelmRepositorySpec) {
			s.SecretRef, s.PassCredentials = &meta.LocalObjectReference{Name: "right"}, pass
		})
		w.index(name)
		w.chart(name, func(s *sourcev1.HelmChartSpec) { s.SourceRef.Name = name })
		if obj := w.build(name); conditions.IsReady(obj) != pass {
			t.Errorf("%s: %s", name, conditions.GetMessage(obj, meta.ReadyCondition))
		}
	}
}

func TestRepositoryCertificates(t *testing.T) {
	w := newWorld(t)
	w.offer("1.0.0")
	secure := httptest.NewTLSServer(w.server.Config.Handler)
	t.Cleanup(secure.Close)
	secure.Config.ErrorLog = nil
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	if err := w.client.Create(t.Context(), secret("ca", map[string]string{"ca.crt": string(ca)})); err != nil {
		t.Fatal(err)
	}
	w.repository("trusting", func(s *sourcev1.HelmRepositorySpec) {
		s.URL, s.CertSecretRef = secure.URL, &meta.LocalObjectReference{Name: "ca"}
	})
	says(t, w.index("trusting"), meta.SucceededReason, "")
	w.repository("wary", func(s *sourcev1.HelmRepositorySpec) { s.URL = secure.URL })
	says(t, w.index("wary"), meta.FailedReason, "certificate")
	w.repository("lost", func(s *sourcev1.HelmRepositorySpec) {
		s.URL, s.CertSecretRef = secure.URL, &meta.LocalObjectReference{Name: "none"}
	})
	says(t, w.index("lost"), "AuthenticationFailed", "failed to get TLS authentication secret 'ns/none'")
}

func TestRepositoriesThatAreNotFetched(t *testing.T) {
	w := newWorld(t)
	w.offer("1.0.0")
	w.repository("suspended", func(s *sourcev1.HelmRepositorySpec) { s.Suspend = true })
	w.repository("oci", func(s *sourcev1.HelmRepositorySpec) {
		s.Type, s.URL = sourcev1.HelmRepositoryTypeOCI, "oci://ghcr.io/charts"
	})
	for _, name := range []string{"suspended", "oci"} {
		if obj := w.index(name); obj.Status.Artifact != nil || len(obj.Status.Conditions) > 0 || w.requests.Load() > 0 {
			t.Errorf("%s: %+v after %d requests", name, obj.Status, w.requests.Load())
		}
	}
	// What was of type default before leaves nothing behind.
	w.repository("changed", nil)
	obj := w.index("changed")
	obj.Spec.Type, obj.Spec.URL = sourcev1.HelmRepositoryTypeOCI, "oci://ghcr.io/charts"
	if err := w.client.Update(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	if obj = w.index("changed"); obj.Status.Artifact != nil || len(obj.Status.Conditions) > 0 {
		t.Errorf("%+v", obj.Status)
	}
	w.repository("mixed", func(s *sourcev1.HelmRepositorySpec) { s.URL = "oci://ghcr.io/charts" })
	if obj := w.index("mixed"); !conditions.IsStalled(obj) {
		t.Error("an oci URL of a repository of type default does not stall")
	}
	w.repository("metadata", func(s *sourcev1.HelmRepositorySpec) { s.URL = "http://169.254.169.254/charts" })
	says(t, w.index("metadata"), meta.FailedReason, "link-local")
}

// TestAccessFromAndTimeout: charts stand beside their repository, so that whom
// else it is shown to changes nothing, as in Flux.
func TestAccessFromAndTimeout(t *testing.T) {
	w := newWorld(t)
	w.offer("1.0.0")
	w.repository("stable", func(s *sourcev1.HelmRepositorySpec) {
		s.AccessFrom = &acl.AccessFrom{NamespaceSelectors: []acl.NamespaceSelector{{MatchLabels: map[string]string{"team": "other"}}}}
	})
	says(t, w.index("stable"), meta.SucceededReason, "")
	w.chart("demo", nil)
	says(t, w.build("demo"), sourcev1.ChartPullSucceededReason, "")
	w.repository("slow", func(s *sourcev1.HelmRepositorySpec) { s.Timeout = &metav1.Duration{Duration: time.Nanosecond} })
	says(t, w.index("slow"), meta.FailedReason, "deadline exceeded")
}
