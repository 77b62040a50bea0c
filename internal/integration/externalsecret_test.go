package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	apitypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	esv1 "hearth/internal/api/externalsecrets/v1"
	esv1alpha1 "hearth/internal/api/externalsecrets/v1alpha1"
	"hearth/internal/domain"
	"hearth/internal/engine/externalsecret"
	"hearth/internal/kube/scheme"
	"hearth/internal/kube/work"
	"hearth/internal/onepassword"
)

// secretCanary begins every secret value of the tests; it must be seen nowhere
// but in Secrets.
const secretCanary = "c4n4ry"

// storeLabel names the namespace of the test that a ClusterSecretStore is of.
const storeLabel = "hearth.test/of"

const secretsVault = `
vaults:
  - name: Homelab
    items:
      - title: immich
        fields: [{label: DB_USER, value: c4n4ry-user}, {label: DB_PASSWORD, value: c4n4ry-pass}]
      - title: plex
        fields: [{label: token, value: c4n4ry-token}, {label: API key, value: c4n4ry-key}]
`

// secrets runs the External Secrets reconcilers in a namespace of their own,
// against an embedded Connect server.
type secrets struct {
	t         testing.TB
	namespace string
	client    client.Client
	connect   *onepassword.Server
	file      string
	store     string // the ClusterSecretStore
	trigger   *externalsecret.Trigger
	gate      *work.Gate
}

func startSecrets(t testing.TB, change ...func(*externalsecret.Options, *onepassword.ServerOptions)) *secrets {
	t.Helper()
	s := &secrets{t: t, namespace: namespace(t), file: filepath.Join(t.TempDir(), "vault.yaml"), trigger: &externalsecret.Trigger{}, gate: work.NewGate(4)}
	s.store = s.namespace
	o := externalsecret.Options{Gate: s.gate, Seed: 1, Trigger: s.trigger}
	server := onepassword.ServerOptions{File: s.file, Token: "c4n4ry-connect-token"}
	if err := os.WriteFile(s.file, []byte(secretsVault), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(&o, &server)
	}
	connect, err := onepassword.NewServer(server)
	if err != nil {
		t.Fatal(err)
	}
	s.connect = connect
	ctx, cancel := context.WithCancel(context.Background())
	url, served, err := connect.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if o.Connect == nil {
		o.Connect = func(host string) (string, string, bool) {
			if host == "" {
				return url, connect.Token(), true
			}
			return url, "", true
		}
	}
	here := cache.ByObject{Namespaces: map[string]cache.Config{s.namespace: {}}}
	ctrllog.SetLogger(logr.Discard())
	mgr, err := manager.New(cluster(t).Config(), manager.Options{
		Scheme: scheme.New(), Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{DefaultTransform: cache.TransformStripManagedFields(), ByObject: map[client.Object]cache.ByObject{
			// Others' stores are left to them: tests run side by side.
			&esv1.ClusterSecretStore{}: {Label: labels.SelectorFromSet(labels.Set{storeLabel: s.namespace})},
			&esv1.ExternalSecret{}:     here, &esv1alpha1.PushSecret{}: here, &esv1.SecretStore{}: here, &corev1.Secret{}: here, &corev1.ConfigMap{}: here, &discoveryv1.EndpointSlice{}: here,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := externalsecret.Setup(mgr, o); err != nil {
		t.Fatal(err)
	}
	s.client, err = client.New(cluster(t).Config(), client.Options{Scheme: scheme.New()})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the manager: %v", err)
		}
		<-served
	})
	t.Cleanup(s.noValueWasTold)
	return s
}

// connectStore creates the ClusterSecretStore, and the token it needs unless
// told otherwise.
func (s *secrets) connectStore(token bool) {
	s.t.Helper()
	if token {
		s.token()
	}
	s.create(s.storeObject())
}

func (s *secrets) storeObject() *esv1.ClusterSecretStore {
	return &esv1.ClusterSecretStore{
		ObjectMeta: metav1.ObjectMeta{Name: s.store, Labels: map[string]string{storeLabel: s.namespace}},
		Spec: esv1.SecretStoreSpec{Provider: &esv1.SecretStoreProvider{OnePassword: &esv1.OnePasswordProvider{
			ConnectHost: "http://connect." + s.namespace + ".svc.cluster.local:8080", Vaults: map[string]int{"Homelab": 1},
			Auth: &esv1.OnePasswordAuth{SecretRef: &esv1.OnePasswordAuthSecretRef{ConnectToken: esv1.SecretKeySelector{Name: "connect-token", Namespace: &s.namespace, Key: "token"}}},
		}}},
	}
}

func (s *secrets) token() {
	s.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "connect-token", Namespace: s.namespace}, StringData: map[string]string{"token": s.connect.Token()}})
}

func (s *secrets) create(obj client.Object) {
	s.t.Helper()
	if err := s.client.Create(s.t.Context(), obj); err != nil {
		s.t.Fatalf("creating %T %s: %v", obj, obj.GetName(), err)
	}
	if obj.GetNamespace() == "" {
		s.t.Cleanup(func() {
			if err := s.client.Delete(context.Background(), obj); err != nil {
				s.t.Error(err)
			}
		})
	}
}

// externalSecret creates an ExternalSecret that reads the store.
func (s *secrets) externalSecret(name, spec string) *esv1.ExternalSecret {
	s.t.Helper()
	es := &esv1.ExternalSecret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace}}
	if err := yaml.UnmarshalStrict([]byte(spec), &es.Spec); err != nil {
		s.t.Fatal(err)
	}
	if es.Spec.SecretStoreRef.Name == "" {
		es.Spec.SecretStoreRef = esv1.SecretStoreRef{Kind: esv1.ClusterSecretStoreKind, Name: s.store}
	}
	s.create(es)
	return es
}

// await waits until the object, read anew, is as wanted.
func (s *secrets) await(obj client.Object, what string, met func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for {
		err := s.client.Get(s.t.Context(), client.ObjectKeyFromObject(obj), obj)
		if client.IgnoreNotFound(err) != nil {
			s.t.Fatal(err)
		}
		if err == nil && met() {
			return
		}
		if time.Now().After(deadline) {
			status, _ := json.Marshal(statusOf(obj))
			s.t.Fatalf("%T %s is not %s: %s", obj, obj.GetName(), what, status)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// awaitGone waits until an object is no longer there.
func (s *secrets) awaitGone(obj client.Object) {
	s.t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for {
		err := s.client.Get(s.t.Context(), client.ObjectKeyFromObject(obj), obj)
		if apierrors.IsNotFound(err) {
			return
		}
		if err != nil || time.Now().After(deadline) {
			s.t.Fatalf("%T %s is still there: %v", obj, obj.GetName(), err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func statusOf(obj client.Object) any {
	switch obj := obj.(type) {
	case *esv1.ExternalSecret:
		return obj.Status
	case esv1.Store:
		return obj.StoreStatus()
	}
	return nil
}

// awaitReady waits until the Ready condition has the status and the message.
func (s *secrets) awaitReady(es *esv1.ExternalSecret, status corev1.ConditionStatus, message string) {
	s.t.Helper()
	s.await(es, fmt.Sprintf("Ready=%s %q", status, message), func() bool {
		c := esv1.GetCondition(es.Status.Conditions, esv1.ConditionReady)
		return c != nil && c.Status == status && strings.Contains(c.Message, message)
	})
}

// synced waits until a sync of this version of the ExternalSecret succeeded.
func (s *secrets) synced(es *esv1.ExternalSecret) {
	s.t.Helper()
	s.awaitReady(es, corev1.ConditionTrue, "")
}

// data returns the content of a Secret.
func (s *secrets) data(name string) map[string]string {
	s.t.Helper()
	out := map[string]string{}
	for key, value := range s.secret(name).Data {
		out[key] = string(value)
	}
	return out
}

func (s *secrets) secret(name string) *corev1.Secret {
	s.t.Helper()
	secret := &corev1.Secret{}
	if err := s.client.Get(s.t.Context(), apitypes.NamespacedName{Namespace: s.namespace, Name: name}, secret); err != nil {
		s.t.Fatal(err)
	}
	return secret
}

// vault replaces the content of the vault.
func (s *secrets) vault(content string) {
	s.t.Helper()
	if err := os.WriteFile(s.file, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := s.connect.Reload(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *secrets) rotate(old, new string) { s.vault(strings.ReplaceAll(secretsVault, old, new)) }

// forceSync asks for a sync by annotation, and waits until it is done.
func (s *secrets) forceSync(es *esv1.ExternalSecret) {
	s.t.Helper()
	s.update(es, func() {
		metav1.SetMetaDataAnnotation(&es.ObjectMeta, esv1.ForceSyncAnnotation, time.Now().Format(time.RFC3339Nano))
	})
}

// update changes an ExternalSecret, and waits until that was taken in.
func (s *secrets) update(es *esv1.ExternalSecret, change func()) {
	s.t.Helper()
	before := es.Status.SyncedResourceVersion
	patch := client.MergeFrom(es.DeepCopy())
	change()
	if err := s.client.Patch(s.t.Context(), es, patch); err != nil {
		s.t.Fatal(err)
	}
	s.await(es, "synced again", func() bool { return es.Status.SyncedResourceVersion != before })
}

// noValueWasTold looks for values in everything that was written but Secrets.
func (s *secrets) noValueWasTold() {
	var events corev1.EventList
	var all esv1.ExternalSecretList
	var stores esv1.ClusterSecretStoreList
	for _, list := range []client.ObjectList{&events, &all, &stores} {
		if err := s.client.List(context.Background(), list, client.InNamespace(s.namespace)); err != nil {
			s.t.Error(err)
		}
	}
	for _, e := range events.Items {
		if strings.Contains(e.Message, secretCanary) {
			s.t.Errorf("an event tells a value: %s", e.Message)
		}
	}
	for _, es := range all.Items {
		if status, _ := json.Marshal(es.Status); strings.Contains(string(status), secretCanary) {
			s.t.Errorf("a status tells a value: %s", status)
		}
	}
	for _, store := range stores.Items {
		if status, _ := json.Marshal(store.Status); strings.Contains(string(status), secretCanary) {
			s.t.Errorf("a status tells a value: %s", status)
		}
	}
}

func TestExternalSecretSyncs(t *testing.T) {
	s := startSecrets(t)
	s.connectStore(true)
	es := s.externalSecret("immich", `
refreshInterval: 12h
target:
  name: immich-secret
  template:
    type: example.com/kind
    metadata: {labels: {app: immich}, annotations: {length: "{{ len .DB_USER }}"}}
    data:
      URL: postgres://{{ .DB_USER }}:{{ .DB_PASSWORD | urlquery }}@db/{{ .token }}
      config.yaml: "{{ .plex_API_key }}"
dataFrom:
  - extract: {key: immich}
  - extract: {key: plex}
    rewrite: [{regexp: {source: "[^A-Za-z]", target: _}}, {regexp: {source: "(.*)", target: plex_$1}}]
data: [{secretKey: token, remoteRef: {key: plex, property: token}}]
`)
	s.synced(es)
	want := map[string]string{"URL": "postgres://c4n4ry-user:c4n4ry-pass@db/c4n4ry-token", "config.yaml": "c4n4ry-key"}
	if diff := cmp.Diff(want, s.data("immich-secret")); diff != "" {
		t.Error(diff)
	}
	secret := s.secret("immich-secret")
	owner := metav1.GetControllerOf(secret)
	if owner == nil || owner.UID != es.UID || owner.Kind != "ExternalSecret" || secret.Type != "example.com/kind" {
		t.Errorf("owner %v, type %s", owner, secret.Type)
	}
	if secret.Labels["app"] != "immich" || secret.Annotations["length"] != "11" || secret.Labels["reconcile.external-secrets.io/managed"] != "true" ||
		len(secret.Labels["reconcile.external-secrets.io/created-by"]) != 56 || secret.Annotations["reconcile.external-secrets.io/data-hash"] == "" {
		t.Errorf("labels %v, annotations %v", secret.Labels, secret.Annotations)
	}
	wantStatus := esv1.ExternalSecretStatus{
		Binding:    corev1.LocalObjectReference{Name: "immich-secret"},
		Conditions: []esv1.Condition{{Type: "Ready", Status: "True", Reason: "SecretSynced", Message: "secret synced"}},
	}
	ignore := []cmp.Option{cmpopts.IgnoreFields(esv1.ExternalSecretStatus{}, "RefreshTime", "SyncedResourceVersion"), cmpopts.IgnoreFields(esv1.Condition{}, "LastTransitionTime")}
	if diff := cmp.Diff(wantStatus, es.Status, ignore...); diff != "" {
		t.Error(diff)
	}
	if es.Status.RefreshTime.IsZero() || !strings.HasPrefix(es.Status.SyncedResourceVersion, "1-") {
		t.Errorf("refresh time %s, synced version %s", es.Status.RefreshTime, es.Status.SyncedResourceVersion)
	}
	store := &esv1.ClusterSecretStore{ObjectMeta: metav1.ObjectMeta{Name: s.store}}
	s.await(store, "validated", func() bool { return esv1.IsReady(store.Status.Conditions) })
	if c := store.Status.Conditions[0]; c.Reason != "Valid" || c.Message != "store validated" || store.Status.Capabilities != esv1.ReadWrite {
		t.Errorf("store %v, %s", c, store.Status.Capabilities)
	}
	var events corev1.EventList
	deadline := time.Now().Add(90 * time.Second)
	for created := false; !created; time.Sleep(20 * time.Millisecond) {
		if err := s.client.List(t.Context(), &events, client.InNamespace(s.namespace)); err != nil || time.Now().After(deadline) {
			t.Fatalf("no event Created: %v", err)
		}
		for _, e := range events.Items {
			created = created || e.Reason == "Created" && e.InvolvedObject.Name == "immich" && e.Message == "secret created"
		}
	}
	if err := s.client.Delete(t.Context(), es); err != nil {
		t.Fatal(err)
	}
	s.awaitGone(secret)
}

func TestExternalSecretFailsAndRecovers(t *testing.T) {
	t.Parallel()
	s := startSecrets(t)
	s.connectStore(true)
	tests := map[string]struct{ spec, message string }{
		"item":     {`dataFrom: [{extract: {key: none}}]`, `no item "none" in vault(s) Homelab`},
		"field":    {`data: [{secretKey: A, remoteRef: {key: immich, property: NOPE}}]`, `1Password item "immich" has no field NOPE`},
		"template": {`{target: {template: {data: {X: "{{ .DB_HOST }}"}}}, dataFrom: [{extract: {key: immich}}]}`, `1Password item "immich" has no field DB_HOST`},
		"rewritten": {`{target: {template: {data: {X: "{{ .db_HOST }}"}}}, dataFrom: [{extract: {key: plex}}, {extract: {key: immich}, rewrite: [{regexp: {source: "(.*)", target: "db_$1"}}]}]}`,
			`1Password item "immich" has no field HOST`},
		"two items":  {`{target: {template: {data: {X: "{{ .NOPE }}"}}}, dataFrom: [{extract: {key: immich}}, {extract: {key: plex}}]}`, `none of the 1Password items "immich", "plex" has a field NOPE`},
		"syntax":     {`{target: {template: {data: {X: "{{ if }}"}}}, dataFrom: [{extract: {key: immich}}]}`, `template "X", line 1: does not parse: missing value for if`},
		"function":   {`{target: {template: {data: {X: "{{ .DB_USER | fromYaml }}"}}}, dataFrom: [{extract: {key: immich}}]}`, `fromYaml: the value is no YAML mapping`},
		"label":      {`{target: {template: {metadata: {labels: {x: "{{ .DB_USER }}/"}}}}, dataFrom: [{extract: {key: immich}}]}`, `the API server refuses metadata.labels`},
		"key":        {`{target: {template: {data: {"a b": x}}}, dataFrom: [{extract: {key: immich}}]}`, `"a b" cannot be a key of a Secret`},
		"large":      {`{target: {template: {data: {a: "{{ repeat 20000 .DB_USER | repeat 3 }}", b: "{{ repeat 60000 .DB_USER }}"}}}, dataFrom: [{extract: {key: immich}}]}`, `more than the 1048576 that a Secret may`},
		"decoding":   {`data: [{secretKey: A, remoteRef: {key: immich, property: DB_USER, decodingStrategy: Base64}}]`, `the value of "A" is no Base64`},
		"config map": {`{target: {template: {templateFrom: [{configMap: {name: none, items: [{key: x}]}}]}}, dataFrom: [{extract: {key: immich}}]}`, `the ConfigMap none, which holds templates, does not exist`},
		"manifest":   {`{target: {manifest: {apiVersion: v1, kind: ConfigMap}}, dataFrom: [{extract: {key: immich}}]}`, `generic targets are disabled: set genericTargets.enabled`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			es := s.externalSecret(strings.ReplaceAll(name, " ", "-"), tt.spec)
			s.awaitReady(es, corev1.ConditionFalse, tt.message)
			if c := es.Status.Conditions[0]; c.Reason != "SecretSyncedError" || !es.Status.RefreshTime.IsZero() {
				t.Errorf("reason %s, refreshed %s", c.Reason, es.Status.RefreshTime)
			}
		})
	}

	es := s.externalSecret("kept", `{refreshInterval: 1h, target: {template: {data: {X: "{{ .DB_USER }}"}}}, dataFrom: [{extract: {key: immich}}]}`)
	s.synced(es)
	s.vault(`vaults: [{name: Homelab, items: [{title: immich, fields: [{label: OTHER, value: c4n4ry}]}]}]`)
	s.trigger.Refresh()
	s.awaitReady(es, corev1.ConditionFalse, `1Password item "immich" has no field DB_USER`)
	if diff := cmp.Diff(map[string]string{"X": "c4n4ry-user"}, s.data("kept")); diff != "" {
		t.Errorf("a failed refresh touched the Secret: %s", diff)
	}
	s.rotate("c4n4ry-user", "c4n4ry-changed")
	s.synced(es)
	if diff := cmp.Diff(map[string]string{"X": "c4n4ry-changed"}, s.data("kept")); diff != "" {
		t.Error(diff)
	}
}

func TestExternalSecretWritesOnlyChanges(t *testing.T) {
	s := startSecrets(t)
	s.connectStore(true)
	es := s.externalSecret("app", `{refreshInterval: "0", target: {template: {metadata: {labels: {old: x}}, data: {X: "{{ .DB_USER }}", Z: "{{ .DB_PASSWORD }}"}}}, dataFrom: [{extract: {key: immich}}]}`)
	s.synced(es)
	before := s.secret("app")
	s.forceSync(es)
	if after := s.secret("app"); after.ResourceVersion != before.ResourceVersion {
		t.Error("the Secret was written although nothing changed")
	}
	writes := s.modifications("app")
	s.rotate("c4n4ry-", "c4n4ry-new-")
	s.forceSync(es)
	want := map[string]string{"X": "c4n4ry-new-user", "Z": "c4n4ry-new-pass"}
	if diff := cmp.Diff(want, s.data("app")); diff != "" {
		t.Error(diff)
	}
	if n := writes.Load(); n > 1 {
		t.Errorf("two changed keys were %d writes", n)
	}
	s.update(es, func() {
		es.Spec.Target.Template.Metadata.Labels = map[string]string{"new": "y"}
		delete(es.Spec.Target.Template.Data, "Z")
	})
	secret := s.secret("app")
	if _, old := secret.Labels["old"]; old || secret.Labels["new"] != "y" || len(secret.Data) != 1 {
		t.Errorf("labels %v, %d keys", secret.Labels, len(secret.Data))
	}
	// What others do to the Secret is undone, except what they add beside it.
	secret.Data["X"] = []byte("tampered")
	secret.Data["more"] = []byte("tampered")
	secret.Labels["mine"] = "stays"
	if err := s.client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	s.await(secret, "restored", func() bool { return string(secret.Data["X"]) == "c4n4ry-new-user" && len(secret.Data) == 1 })
	if secret.Labels["mine"] != "stays" {
		t.Error("someone else's label is gone")
	}
	uid := secret.UID
	if err := s.client.Delete(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	s.await(secret, "made anew", func() bool { return secret.UID != uid })
}

// modifications counts the writes of a Secret from now on.
func (s *secrets) modifications(name string) *atomic.Int32 {
	s.t.Helper()
	c, err := client.NewWithWatch(cluster(s.t).Config(), client.Options{Scheme: scheme.New()})
	if err != nil {
		s.t.Fatal(err)
	}
	w, err := c.Watch(s.t.Context(), &corev1.SecretList{}, client.InNamespace(s.namespace), client.MatchingFields{"metadata.name": name})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(w.Stop)
	n := &atomic.Int32{}
	go func() {
		for e := range w.ResultChan() {
			if e.Type == watch.Modified {
				n.Add(1)
			}
		}
	}()
	return n
}

func TestExternalSecretRefreshes(t *testing.T) {
	t.Parallel()
	s := startSecrets(t)
	s.connectStore(true)
	template := `, target: {template: {data: {X: "{{ .DB_USER }}"}}}, dataFrom: [{extract: {key: immich}}]}`
	often := s.externalSecret("often", `{refreshInterval: 2s`+template)
	never := s.externalSecret("never", `{refreshInterval: "0"`+template)
	once := s.externalSecret("once", `{refreshInterval: 2s, refreshPolicy: CreatedOnce`+template)
	onChange := s.externalSecret("onchange", `{refreshInterval: 2s, refreshPolicy: OnChange`+template)
	for _, es := range []*esv1.ExternalSecret{often, never, once, onChange} {
		s.synced(es)
	}
	s.rotate("c4n4ry-user", "c4n4ry-changed")
	secret := s.secret("often")
	s.await(secret, "refreshed", func() bool { return string(secret.Data["X"]) == "c4n4ry-changed" })
	first := often.Status.RefreshTime
	s.await(often, "refreshed again", func() bool { return often.Status.RefreshTime.Sub(first.Time) > 3*time.Second })
	for _, name := range []string{"never", "once", "onchange"} {
		if diff := cmp.Diff(map[string]string{"X": "c4n4ry-user"}, s.data(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	s.forceSync(onChange)
	if diff := cmp.Diff(map[string]string{"X": "c4n4ry-changed"}, s.data("onchange")); diff != "" {
		t.Error(diff)
	}
}

func TestExternalSecretWaitsForItsStore(t *testing.T) {
	var down atomic.Bool
	s := startSecrets(t, func(o *externalsecret.Options, _ *onepassword.ServerOptions) {
		o.Available = func(context.Context, string) error {
			if down.Load() {
				return errors.New("Service external-secrets/onepassword-connect has no ready endpoints")
			}
			return nil
		}
	})
	down.Store(true)
	es := s.externalSecret("app", `dataFrom: [{extract: {key: immich}}]`)
	s.awaitReady(es, corev1.ConditionUnknown, `ClusterSecretStore "`+s.store+`" does not exist`)
	s.connectStore(false)
	s.awaitReady(es, corev1.ConditionUnknown, `is not ready: the Secret `+s.namespace+`/connect-token with the Connect token does not exist`)
	if c := es.Status.Conditions[0]; c.Reason != esv1.ReasonStoreNotReady {
		t.Errorf("reason %s", c.Reason)
	}
	s.token()
	s.awaitReady(es, corev1.ConditionUnknown, "Service external-secrets/onepassword-connect has no ready endpoints")

	down.Store(false)
	s.create(&discoveryv1.EndpointSlice{ // the Service's endpoints turn up
		ObjectMeta:  metav1.ObjectMeta{Name: "connect-1", Namespace: s.namespace, Labels: map[string]string{discoveryv1.LabelServiceName: "connect"}},
		AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"192.0.2.1"}}},
	})
	s.synced(es)

	down.Store(true)
	s.forceSyncFails(es)
	store := &esv1.ClusterSecretStore{ObjectMeta: metav1.ObjectMeta{Name: s.store}}
	s.await(store, "not ready", func() bool { return !esv1.IsReady(store.Status.Conditions) })
	down.Store(false)
	s.trigger.Poke()
	s.synced(es)
}

// forceSyncFails asks for a sync by annotation that is to fail.
func (s *secrets) forceSyncFails(es *esv1.ExternalSecret) {
	s.t.Helper()
	patch := client.MergeFrom(es.DeepCopy())
	metav1.SetMetaDataAnnotation(&es.ObjectMeta, esv1.ForceSyncAnnotation, time.Now().Format(time.RFC3339Nano))
	if err := s.client.Patch(s.t.Context(), es, patch); err != nil {
		s.t.Fatal(err)
	}
	s.awaitReady(es, corev1.ConditionFalse, "")
}

func TestExternalSecretDeletionPolicies(t *testing.T) {
	s := startSecrets(t)
	s.connectStore(true)
	spec := func(policy string) string {
		return `{refreshInterval: "0", target: {deletionPolicy: ` + policy + `}, data: [{secretKey: U, remoteRef: {key: immich, property: DB_USER}}, {secretKey: T, remoteRef: {key: plex, property: token}}]}`
	}
	retain, remove, merge := s.externalSecret("retain", spec("Retain")), s.externalSecret("remove", spec("Delete")), s.externalSecret("merge", spec("Merge"))
	for _, es := range []*esv1.ExternalSecret{retain, remove, merge} {
		s.synced(es)
	}
	s.vault(`vaults: [{name: Homelab, items: [{title: plex, fields: [{label: token, value: c4n4ry-token}]}]}]`)
	s.trigger.Refresh()
	s.awaitReady(retain, corev1.ConditionFalse, `no item "immich" in vault(s) Homelab`)
	merged := s.secret("merge")
	s.await(merged, "without the key", func() bool { return len(merged.Data) == 1 && merged.Data["U"] == nil })
	s.synced(merge)
	if len(s.data("retain")) != 2 {
		t.Error("the retained Secret lost a key")
	}

	s.vault(`vaults: [{name: Homelab}]`)
	s.trigger.Refresh()
	s.await(remove, "deleted", func() bool {
		c := esv1.GetCondition(remove.Status.Conditions, esv1.ConditionReady)
		return c.Reason == "SecretDeleted"
	})
	if err := s.client.Get(t.Context(), client.ObjectKeyFromObject(remove), &corev1.Secret{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Secret is still there: %v", err)
	}
	s.vault(secretsVault)
	s.trigger.Refresh()
	s.await(remove, "back", func() bool {
		return esv1.GetCondition(remove.Status.Conditions, esv1.ConditionReady).Reason == "SecretSynced"
	})
	if len(s.data("remove")) != 2 {
		t.Error("the Secret did not come back")
	}
	// A typing error is told, whatever the policy: nothing was ever there.
	wrong := s.externalSecret("wrong", `{target: {deletionPolicy: Delete}, dataFrom: [{extract: {key: imich}}]}`)
	s.awaitReady(wrong, corev1.ConditionFalse, `no item "imich" in vault(s) Homelab`)
}

func TestExternalSecretCreationPolicies(t *testing.T) {
	s := startSecrets(t)
	s.connectStore(true)
	spec := func(policy string) string {
		return `{target: {creationPolicy: ` + policy + `}, data: [{secretKey: T, remoteRef: {key: plex, property: token}}]}`
	}
	orphan := s.externalSecret("orphan", spec("Orphan"))
	none := s.externalSecret("none", spec("None"))
	merge := s.externalSecret("merge", spec("Merge"))
	s.synced(orphan)
	s.synced(none)
	s.await(merge, "without a Secret to merge into", func() bool {
		c := esv1.GetCondition(merge.Status.Conditions, esv1.ConditionReady)
		return c != nil && c.Reason == "SecretMissing"
	})
	if owners := s.secret("orphan").OwnerReferences; len(owners) != 0 {
		t.Errorf("the orphan has owners %v", owners)
	}
	if err := s.client.Get(t.Context(), client.ObjectKeyFromObject(none), &corev1.Secret{}); !apierrors.IsNotFound(err) {
		t.Errorf("policy None made a Secret: %v", err)
	}
	s.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "merge", Namespace: s.namespace}, StringData: map[string]string{"mine": "c4n4ry"}})
	secret := s.secret("merge")
	s.await(secret, "merged", func() bool { return len(secret.Data) == 2 })
	if len(secret.OwnerReferences) != 0 {
		t.Error("merging took the Secret over")
	}

	first := s.externalSecret("first", `{target: {name: shared}, data: [{secretKey: T, remoteRef: {key: plex, property: token}}]}`)
	s.synced(first)
	second := s.externalSecret("second", `{target: {name: shared}, data: [{secretKey: U, remoteRef: {key: plex, property: token}}]}`)
	s.awaitReady(second, corev1.ConditionFalse, "the Secret shared is owned by another ExternalSecret, first")

	fixed := s.externalSecret("fixed", `{refreshInterval: "0", target: {immutable: true}, data: [{secretKey: T, remoteRef: {key: plex, property: token}}]}`)
	s.synced(fixed)
	if secret := s.secret("fixed"); secret.Immutable == nil || !*secret.Immutable {
		t.Error("the Secret can be changed")
	}
	s.rotate("c4n4ry-token", "c4n4ry-other")
	s.trigger.Refresh()
	s.awaitReady(fixed, corev1.ConditionFalse, "target is immutable")
}

func TestExternalSecretTemplatesFromElsewhere(t *testing.T) {
	s := startSecrets(t)
	s.connectStore(true)
	es := s.externalSecret("app", `
target:
  template:
    mergePolicy: Merge
    templateFrom:
      - configMap: {name: templates, items: [{key: app.conf}, {key: many, templateAs: KeysAndValues}]}
      - {target: Labels, literal: "kind: {{ .DB_USER | len }}l"}
dataFrom: [{extract: {key: immich}}]
`)
	s.awaitReady(es, corev1.ConditionFalse, "the ConfigMap templates, which holds templates, does not exist")
	s.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "templates", Namespace: s.namespace}, Data: map[string]string{
		"app.conf": "user={{ .DB_USER }}", "many": "a: {{ .DB_PASSWORD }}\nb: 1",
	}})
	s.synced(es)
	want := map[string]string{"DB_USER": "c4n4ry-user", "DB_PASSWORD": "c4n4ry-pass", "app.conf": "user=c4n4ry-user", "a": "c4n4ry-pass", "b": "1"}
	if diff := cmp.Diff(want, s.data("app")); diff != "" {
		t.Error(diff)
	}
	if got := s.secret("app").Labels["kind"]; got != "11l" {
		t.Errorf("label %q", got)
	}
}

func TestExternalSecretOtherProviders(t *testing.T) {
	var assumptions domain.Assumptions
	s := startSecrets(t, func(o *externalsecret.Options, _ *onepassword.ServerOptions) { o.Assumptions = &assumptions })
	store := func(name, provider string) {
		st := &esv1.SecretStore{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace}, Spec: esv1.SecretStoreSpec{Provider: &esv1.SecretStoreProvider{}}}
		if err := yaml.Unmarshal([]byte(provider), st.Spec.Provider); err != nil {
			t.Fatal(err)
		}
		s.create(st)
	}
	store("fake", `fake: {data: [{key: one, value: '{"a":"c4n4ry-a","b":2}'}, {key: two, value: c4n4ry-two}]}`)
	store("here", `kubernetes: {remoteNamespace: `+s.namespace+`, server: {caProvider: {type: ConfigMap, name: kube-root-ca.crt, key: ca.crt}}}`)
	store("sdk", `onepasswordSDK: {vault: Homelab, auth: {serviceAccountSecretRef: {name: x, key: y}}}`)
	store("doppler", `doppler: {auth: {secretRef: {dopplerToken: {name: x}}}}`)
	s.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "origin", Namespace: s.namespace}, StringData: map[string]string{"k": "c4n4ry-k"}})

	tests := map[string]struct {
		spec string
		want map[string]string
	}{
		"fake-1": {`{secretStoreRef: {name: fake}, dataFrom: [{extract: {key: one}}], data: [{secretKey: t, remoteRef: {key: two}}, {secretKey: p, remoteRef: {key: one, property: a}}]}`,
			map[string]string{"a": "c4n4ry-a", "b": "2", "t": "c4n4ry-two", "p": "c4n4ry-a"}},
		"fake-2": {`{secretStoreRef: {name: fake}, dataFrom: [{find: {name: {regexp: "^tw"}}}]}`, map[string]string{"two": "c4n4ry-two"}},
		"kube-1": {`{secretStoreRef: {name: here}, dataFrom: [{extract: {key: origin}}], data: [{secretKey: p, remoteRef: {key: origin, property: k}}]}`, map[string]string{"k": "c4n4ry-k", "p": "c4n4ry-k"}},
		"sdk":    {`{secretStoreRef: {name: sdk}, dataFrom: [{extract: {key: immich}}], data: [{secretKey: t, remoteRef: {key: plex/token}}]}`, map[string]string{"DB_USER": "c4n4ry-user", "DB_PASSWORD": "c4n4ry-pass", "t": "c4n4ry-token"}},
		"others": {`{secretStoreRef: {name: doppler}, data: [{secretKey: t, remoteRef: {key: plex, property: token}}]}`, map[string]string{"t": "c4n4ry-token"}},
		"mixed": {`{secretStoreRef: {name: fake}, data: [{secretKey: t, remoteRef: {key: two}}, {secretKey: p, remoteRef: {key: plex, property: token}, sourceRef: {storeRef: {name: sdk}}}]}`,
			map[string]string{"t": "c4n4ry-two", "p": "c4n4ry-token"}},
		"find": {`{secretStoreRef: {name: sdk}, dataFrom: [{find: {path: immich, name: {regexp: USER}}}]}`, map[string]string{"DB_USER": "c4n4ry-user"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			es := s.externalSecret(name, tt.spec)
			s.synced(es)
			if diff := cmp.Diff(tt.want, s.data(name)); diff != "" {
				t.Error(diff)
			}
		})
	}
	// It is woken by the Secret that it waits for.
	late := s.externalSecret("late", `{secretStoreRef: {name: here}, dataFrom: [{extract: {key: later}}]}`)
	s.awaitReady(late, corev1.ConditionFalse, `no Secret "later" in namespace`)
	s.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "later", Namespace: s.namespace}, StringData: map[string]string{"k": "c4n4ry"}})
	s.synced(late)
	if got := assumptions.List(); len(got) != 2 || got[0].Kind != domain.AssumedOperator {
		t.Errorf("assumptions %v", got)
	}
}

func TestExternalSecretAssumesWhatNoVaultHas(t *testing.T) {
	var assumptions domain.Assumptions
	assumer := &onepassword.Assumer{Seed: 3}
	s := startSecrets(t, func(o *externalsecret.Options, server *onepassword.ServerOptions) {
		server.File = "" // no vault at all
		server.Assume, server.Assumptions = assumer.Fields, &assumptions
		o.Prepare = func(ctx context.Context, es *esv1.ExternalSecret) {
			assumer.Want(onepassword.Needs(ctx, es, onepassword.NeedsOptions{WantKeys: map[string][]string{"plain": {"PASSWORD"}}})...)
		}
	})
	s.connectStore(true)
	templated := s.externalSecret("templated", `{target: {template: {data: {URL: "https://{{ .USER }}:{{ .PASS | b64dec }}@{{ (.CONF | fromJson).host }}"}}}, dataFrom: [{extract: {key: app}}]}`)
	plain := s.externalSecret("plain", `dataFrom: [{extract: {key: other}}]`)
	s.synced(templated)
	s.synced(plain)
	if got := s.data("templated")["URL"]; !strings.HasPrefix(got, "https://user") || !strings.HasSuffix(got, "@example.invalid") {
		t.Errorf("got %q", got)
	}
	if got := s.data("plain"); len(got) != 1 || got["PASSWORD"] == "" {
		t.Errorf("got %v", got)
	}
	var subjects []string
	for _, a := range assumptions.List() {
		subjects = append(subjects, a.Subject)
	}
	if diff := cmp.Diff([]string{"app/CONF", "app/PASS", "app/USER", "other/PASSWORD"}, subjects); diff != "" {
		t.Error(diff)
	}
}

func TestExternalSecretNamespaceConditions(t *testing.T) {
	s := startSecrets(t)
	s.connectStore(true)
	store := &esv1.ClusterSecretStore{ObjectMeta: metav1.ObjectMeta{Name: s.store}}
	s.await(store, "there", func() bool { return true })
	store.Spec.Conditions = []esv1.ClusterSecretStoreCondition{{Namespaces: []string{"other"}}}
	if err := s.client.Update(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	es := s.externalSecret("app", `dataFrom: [{extract: {key: immich}}]`)
	s.awaitReady(es, corev1.ConditionFalse, "does not admit the namespace "+s.namespace)
}

func TestExternalSecretOfTheOlderVersion(t *testing.T) {
	s := startSecrets(t)
	s.connectStore(true)
	old := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "external-secrets.io/v1beta1", "kind": "ExternalSecret",
		"metadata": map[string]any{"name": "old", "namespace": s.namespace},
		"spec": map[string]any{
			"secretStoreRef": map[string]any{"kind": "ClusterSecretStore", "name": s.store},
			"dataFrom":       []any{map[string]any{"extract": map[string]any{"key": "immich"}}},
		},
	}}
	s.create(old)
	s.synced(&esv1.ExternalSecret{ObjectMeta: metav1.ObjectMeta{Name: "old", Namespace: s.namespace}})
	if got := s.data("old")["DB_USER"]; got != "c4n4ry-user" {
		t.Error("the Secret holds something else")
	}
}
