package integration_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/engine/externalsecret"
	"hearth/internal/onepassword"
)

// faulty stands before a Connect server, and answers in its place when told to.
type faulty struct {
	behind http.Handler
	mode   atomic.Value // string
	asked  atomic.Int64 // requests that the fault answered
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mode, _ := f.mode.Load().(string)
	if mode == "" {
		f.behind.ServeHTTP(w, r)
		return
	}
	f.asked.Add(1)
	switch mode {
	case "html":
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html>c4n4ry-of-the-proxy</html>")
	case "garbage":
		fmt.Fprint(w, `{"c4n4ry`)
	case "broken":
		http.Error(w, "c4n4ry", http.StatusBadGateway)
	case "token":
		http.Error(w, "c4n4ry", http.StatusUnauthorized)
	case "reset":
		panic(http.ErrAbortHandler)
	}
}

// startFaulty runs the reconcilers against a server that can be told to fail.
func startFaulty(t *testing.T) (*secrets, *faulty) {
	t.Helper()
	f := &faulty{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	s := startSecrets(t, func(o *externalsecret.Options, so *onepassword.ServerOptions) {
		behind, err := onepassword.NewServer(*so)
		if err != nil {
			t.Fatal(err)
		}
		f.behind = behind
		o.Connect = func(string) (string, string, bool) { return server.URL, "", true }
	})
	return s, f
}

// TestExternalSecretSurvivesItsServer has Connect answer in every bad way: the
// Secret stays, the condition says what is wrong and no value, and all is well
// again by itself.
func TestExternalSecretSurvivesItsServer(t *testing.T) {
	t.Parallel()
	s, f := startFaulty(t)
	s.connectStore(true)
	es := s.externalSecret("app", `{refreshInterval: 1h, data: [{secretKey: u, remoteRef: {key: immich, property: DB_USER}}]}`)
	s.synced(es)
	before := s.secret("app")
	store := &esv1.ClusterSecretStore{ObjectMeta: metav1.ObjectMeta{Name: s.store}}
	for _, tt := range []struct{ mode, message string }{
		{"html", "not the JSON of a Connect server"},
		{"garbage", "not the JSON of a Connect server"},
		{"broken", "502"},
		{"token", "refuses the token"},
		{"reset", "unreachable"},
	} {
		f.mode.Store(tt.mode)
		s.trigger.Refresh()
		s.await(es, tt.mode, func() bool {
			c := esv1.GetCondition(es.Status.Conditions, esv1.ConditionReady)
			return c.Status == corev1.ConditionFalse && strings.Contains(c.Message, tt.message)
		})
		if after := s.secret("app"); after.ResourceVersion != before.ResourceVersion {
			t.Errorf("%s: the Secret was touched", tt.mode)
		}
		f.mode.Store("")
		s.trigger.Poke()
		s.synced(es)
		s.await(store, "well again", func() bool { return esv1.IsReady(store.Status.Conditions) })
	}
}

// TestExternalSecretRecoversByItself pokes nobody: the back-off does it.
func TestExternalSecretRecoversByItself(t *testing.T) {
	t.Parallel()
	s, f := startFaulty(t)
	s.connectStore(true)
	f.mode.Store("broken")
	es := s.externalSecret("app", `{data: [{secretKey: u, remoteRef: {key: immich, property: DB_USER}}]}`)
	store := &esv1.ClusterSecretStore{ObjectMeta: metav1.ObjectMeta{Name: s.store}}
	s.await(store, "not ready", func() bool {
		c := esv1.GetCondition(store.Status.Conditions, esv1.ConditionReady)
		return c != nil && c.Status == corev1.ConditionFalse && c.Reason == esv1.ReasonValidationFailed
	})
	f.mode.Store("")
	s.synced(es)
}

func TestSecretStoreRetrySettings(t *testing.T) {
	t.Parallel()
	s, f := startFaulty(t)
	s.token()
	settings := s.storeObject().Spec.Provider.OnePassword
	two, wait := int32(2), "10ms"
	s.create(&esv1.SecretStore{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "patient"}, Spec: esv1.SecretStoreSpec{
		Provider:      &esv1.SecretStoreProvider{OnePassword: settings},
		RetrySettings: &esv1.SecretStoreRetrySettings{MaxRetries: &two, RetryInterval: &wait},
	}})
	es := s.externalSecret("app", `{secretStoreRef: {name: patient}, refreshInterval: 1h, data: [{secretKey: u, remoteRef: {key: immich, property: DB_USER}}]}`)
	s.synced(es)
	f.mode.Store("reset")
	s.forceSyncFails(es)
	if n := f.asked.Load(); n < 3 {
		t.Errorf("asked %d times, want one try and two more", n)
	}
	f.mode.Store("")
	s.trigger.Poke()
	s.synced(es)
	bad := "soon"
	s.create(&esv1.SecretStore{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "wrong"}, Spec: esv1.SecretStoreSpec{
		Provider:      &esv1.SecretStoreProvider{OnePassword: settings},
		RetrySettings: &esv1.SecretStoreRetrySettings{MaxRetries: &two, RetryInterval: &bad},
	}})
	wrong := &esv1.SecretStore{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "wrong"}}
	s.await(wrong, "refused", func() bool {
		c := esv1.GetCondition(wrong.Status.Conditions, esv1.ConditionReady)
		return c != nil && strings.Contains(c.Message, "retryInterval is no duration")
	})
}

func TestExternalSecretBadVaults(t *testing.T) {
	t.Parallel()
	s := startSecrets(t)
	binary := base64.StdEncoding.EncodeToString([]byte{0xff, 0x00, 0xfe})
	s.vault(`
vaults:
  - name: Homelab
    items:
      - {title: twice, fields: [{label: a, value: c4n4ry-1}]}
      - {title: twice, fields: [{label: a, value: c4n4ry-2}]}
      - {title: huge, fields: [{label: a, value: ` + strings.Repeat("c4n4ry", 350_000) + `}]}
      - {title: text, fields: [{label: yaml, value: "c4n4ry: ["}, {label: bin, value: "` + binary + `"}, {label: "a/b", value: c4n4ry-s}]}
`)
	s.connectStore(true)
	wrong := s.storeObject()
	wrong.Name += "-wrong"
	wrong.Spec.Provider.OnePassword.Vaults = map[string]int{"Office": 1}
	s.create(wrong)
	s.await(wrong, "refused", func() bool {
		c := esv1.GetCondition(wrong.Status.Conditions, esv1.ConditionReady)
		return c != nil && strings.Contains(c.Message, `has no vault "Office"`)
	})
	for name, tt := range map[string]struct{ spec, message string }{
		"twice":    {`dataFrom: [{extract: {key: twice}}]`, `there are 2 items titled "twice" in vault Homelab`},
		"huge":     {`dataFrom: [{extract: {key: huge}}]`, "more than the 1048576 that a Secret may"},
		"yaml":     {`{target: {template: {templateFrom: [{literal: "{{ .yaml }}"}]}}, data: [{secretKey: yaml, remoteRef: {key: text, property: yaml}}]}`, "does not yield a YAML mapping"},
		"function": {`{target: {template: {data: {x: "{{ .yaml | nosuch }}"}}}, data: [{secretKey: yaml, remoteRef: {key: text, property: yaml}}]}`, `function "nosuch" not defined`},
		"key":      {`dataFrom: [{extract: {key: text}, rewrite: [{regexp: {source: bin, target: "x y"}}]}]`, `cannot be a key of a Secret`},
		"vault":    {`{secretStoreRef: {kind: ClusterSecretStore, name: ` + wrong.Name + `}, dataFrom: [{extract: {key: text}}]}`, `has no vault "Office"`},
	} {
		es := s.externalSecret(name, tt.spec)
		s.await(es, tt.message, func() bool {
			c := esv1.GetCondition(es.Status.Conditions, esv1.ConditionReady)
			return c != nil && c.Status != corev1.ConditionTrue && strings.Contains(c.Message, tt.message)
		})
	}
	es := s.externalSecret("binary", `data: [{secretKey: b, remoteRef: {key: text, property: bin, decodingStrategy: Base64}}, {secretKey: s, remoteRef: {key: text, property: a/b}}]`)
	s.synced(es)
	if diff := cmp.Diff(map[string]string{"b": "\xff\x00\xfe", "s": "c4n4ry-s"}, s.data("binary")); diff != "" {
		t.Error(diff)
	}
}

func TestSecretStoreController(t *testing.T) {
	t.Parallel()
	s := startSecrets(t)
	s.localStore("theirs", `fake: {data: [{key: k, value: c4n4ry}]}`, func(st *esv1.SecretStore) { st.Spec.Controller = "another" })
	ours := s.localStore("ours", `fake: {data: [{key: k, value: c4n4ry}]}`, func(st *esv1.SecretStore) {
		st.Spec.Controller, st.Spec.RefreshInterval = "default", 1
	})
	es := s.externalSecret("app", `{secretStoreRef: {name: theirs}, data: [{secretKey: k, remoteRef: {key: k}}]}`)
	s.awaitReady(es, corev1.ConditionUnknown, `is left to the controller "another"`)
	s.await(ours, "validated", func() bool { return esv1.IsReady(ours.Status.Conditions) })
	theirs := &esv1.SecretStore{}
	if err := s.client.Get(t.Context(), client.ObjectKey{Namespace: s.namespace, Name: "theirs"}, theirs); err != nil {
		t.Fatal(err)
	}
	if len(theirs.Status.Conditions) != 0 {
		t.Error("another controller's store is validated")
	}
	// It is validated again, and every time it is what it says.
	two := 2
	patch := client.MergeFrom(ours.DeepCopy())
	ours.Spec.Provider.Fake.ValidationResult = &two
	if err := s.client.Patch(t.Context(), ours, patch); err != nil {
		t.Fatal(err)
	}
	s.await(ours, "invalid", func() bool {
		c := esv1.GetCondition(ours.Status.Conditions, esv1.ConditionReady)
		return c.Status == corev1.ConditionFalse && c.Reason == "ValidationFailed"
	})
}

// TestSecretStoreValidatesAgain takes the server away: the store notices by its
// own refresh interval.
func TestSecretStoreValidatesAgain(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	s := startSecrets(t, func(o *externalsecret.Options, _ *onepassword.ServerOptions) {
		o.Available = func(context.Context, string) error {
			if down.Load() {
				return errors.New("it is gone")
			}
			return nil
		}
	})
	s.token()
	store := s.storeObject()
	store.Spec.RefreshInterval = 1
	s.create(store)
	s.await(store, "ready", func() bool { return esv1.IsReady(store.Status.Conditions) })
	down.Store(true)
	s.await(store, "not ready", func() bool { return !esv1.IsReady(store.Status.Conditions) })
	down.Store(false)
	s.await(store, "ready again", func() bool { return esv1.IsReady(store.Status.Conditions) })
}
