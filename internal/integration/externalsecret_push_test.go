package integration_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	esv1 "hearth/internal/api/externalsecrets/v1"
	esv1alpha1 "hearth/internal/api/externalsecrets/v1alpha1"
)

// localStore creates a SecretStore, labelled with its name.
func (s *secrets) localStore(name, provider string, change ...func(*esv1.SecretStore)) *esv1.SecretStore {
	s.t.Helper()
	st := &esv1.SecretStore{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace, Labels: map[string]string{"store": name}}}
	st.Spec.Provider = &esv1.SecretStoreProvider{}
	if err := yaml.Unmarshal([]byte(provider), st.Spec.Provider); err != nil {
		s.t.Fatal(err)
	}
	for _, f := range change {
		f(st)
	}
	s.create(st)
	return st
}

// pushSecret creates a PushSecret.
func (s *secrets) pushSecret(name, spec string) *esv1alpha1.PushSecret {
	s.t.Helper()
	ps := &esv1alpha1.PushSecret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace}}
	if err := yaml.UnmarshalStrict([]byte(spec), &ps.Spec); err != nil {
		s.t.Fatal(err)
	}
	s.create(ps)
	return ps
}

func (s *secrets) plainSecret(name string, data map[string]string, labels ...string) *corev1.Secret {
	s.t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace, Labels: map[string]string{}}, StringData: data}
	for _, label := range labels {
		secret.Labels[label] = "true"
	}
	s.create(secret)
	return secret
}

// awaitPush waits until the Ready condition has the status and the message.
func (s *secrets) awaitPush(ps *esv1alpha1.PushSecret, status corev1.ConditionStatus, message string) {
	s.t.Helper()
	s.await(ps, fmt.Sprintf("Ready=%s %q", status, message), func() bool {
		c := esv1.GetCondition(ps.Status.Conditions, esv1.ConditionReady)
		return c != nil && c.Status == status && strings.Contains(c.Message, message)
	})
	if text, _ := json.Marshal(ps.Status); strings.Contains(string(text), secretCanary) {
		s.t.Errorf("a status tells a value: %s", text)
	}
}

// holds waits until the Secret has the keys and values.
func (s *secrets) holds(name string, want map[string]string) {
	s.t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace}}
	var diff string
	defer func() {
		if s.t.Failed() && diff != "" {
			s.t.Log(diff)
		}
	}()
	s.await(secret, "as wanted", func() bool {
		got := map[string]string{}
		for key, value := range secret.Data {
			got[key] = string(value)
		}
		diff = cmp.Diff(want, got)
		return diff == ""
	})
	diff = ""
}

// isGone waits until an object is no more.
func (s *secrets) isGone(obj client.Object) {
	s.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := s.client.Get(s.t.Context(), client.ObjectKeyFromObject(obj), obj)
		if apierrors.IsNotFound(err) {
			return
		}
		if err != nil || time.Now().After(deadline) {
			s.t.Fatalf("%T %s is still there: %v", obj, obj.GetName(), err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestPushSecretIntoACluster(t *testing.T) {
	s := startSecrets(t)
	s.localStore("here", `kubernetes: {remoteNamespace: `+s.namespace+`}`)
	ps := s.pushSecret("push", `
refreshInterval: 1h
deletionPolicy: Delete
secretStoreRefs: [{name: here}]
selector: {secret: {name: origin}}
data:
  - match: {secretKey: user, remoteRef: {remoteKey: copy, property: USER}}
    metadata: {apiVersion: kubernetes.external-secrets.io/v1alpha1, kind: PushSecretMetadata, spec: {labels: {by: push}}}
  - match: {secretKey: pass, remoteRef: {remoteKey: copy, property: PASS}}
  - match: {remoteRef: {remoteKey: whole}}
`)
	s.awaitPush(ps, corev1.ConditionFalse, "could not get source secret: the Secret origin does not exist")
	origin := s.plainSecret("origin", map[string]string{"user": "c4n4ry-u", "pass": "c4n4ry-p"})
	s.awaitPush(ps, corev1.ConditionTrue, "PushSecret synced successfully")
	s.holds("copy", map[string]string{"USER": "c4n4ry-u", "PASS": "c4n4ry-p"})
	s.holds("whole", map[string]string{"user": "c4n4ry-u", "pass": "c4n4ry-p"})
	if s.secret("copy").Labels["by"] != "push" {
		t.Errorf("labels %v", s.secret("copy").Labels)
	}
	var places []string
	for place := range ps.Status.SyncedPushSecrets["SecretStore/here"] {
		places = append(places, place)
	}
	slices.Sort(places)
	if diff := cmp.Diff([]string{"copy/PASS", "copy/USER", "whole"}, places); diff != "" {
		t.Error(diff)
	}
	if c := ps.Status.Conditions[0]; c.Reason != "Synced" || ps.Status.RefreshTime.IsZero() || ps.Status.SyncedResourceVersion == "" {
		t.Errorf("status %+v", ps.Status)
	}

	// What changes is pushed at once; what is no longer asked for is taken out.
	origin.StringData = map[string]string{"user": "c4n4ry-v"}
	if err := s.client.Update(t.Context(), origin); err != nil {
		t.Fatal(err)
	}
	s.holds("copy", map[string]string{"USER": "c4n4ry-v", "PASS": "c4n4ry-p"})
	if err := s.client.Get(t.Context(), client.ObjectKeyFromObject(ps), ps); err != nil {
		t.Fatal(err)
	}
	patch := client.MergeFrom(ps.DeepCopy())
	ps.Spec.Data = ps.Spec.Data[:1]
	if err := s.client.Patch(t.Context(), ps, patch); err != nil {
		t.Fatal(err)
	}
	s.holds("copy", map[string]string{"USER": "c4n4ry-v"})
	s.isGone(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "whole", Namespace: s.namespace}})
	if err := s.client.Delete(t.Context(), ps); err != nil {
		t.Fatal(err)
	}
	s.isGone(ps)
	s.isGone(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "copy", Namespace: s.namespace}})
}

func TestPushSecretIntoTheVault(t *testing.T) {
	s := startSecrets(t)
	s.connectStore(true)
	s.plainSecret("origin", map[string]string{"k": "c4n4ry-k"})
	ps := s.pushSecret("push", `
refreshInterval: "0"
deletionPolicy: Delete
secretStoreRefs: [{kind: ClusterSecretStore, name: `+s.store+`}]
selector: {secret: {name: origin}}
data:
  - match: {secretKey: k, remoteRef: {remoteKey: made, property: TOKEN}}
  - match: {secretKey: k, remoteRef: {remoteKey: immich, property: ADDED}}
`)
	s.awaitPush(ps, corev1.ConditionTrue, "")
	es := s.externalSecret("back", `{refreshInterval: "0", data: [{secretKey: a, remoteRef: {key: made, property: TOKEN}}, {secretKey: b, remoteRef: {key: immich, property: ADDED}}, {secretKey: c, remoteRef: {key: immich, property: DB_USER}}]}`)
	s.synced(es)
	s.holds("back", map[string]string{"a": "c4n4ry-k", "b": "c4n4ry-k", "c": "c4n4ry-user"})
	if err := s.client.Delete(t.Context(), ps); err != nil {
		t.Fatal(err)
	}
	s.isGone(ps)
	gone := s.externalSecret("gone", `{data: [{secretKey: a, remoteRef: {key: made, property: TOKEN}}]}`)
	s.awaitReady(gone, corev1.ConditionFalse, `no item "made"`)
	kept := s.externalSecret("kept", `{data: [{secretKey: a, remoteRef: {key: immich, property: DB_USER}}]}`)
	s.synced(kept)
	removed := s.externalSecret("removed", `{data: [{secretKey: a, remoteRef: {key: immich, property: ADDED}}]}`)
	s.awaitReady(removed, corev1.ConditionFalse, `has no field ADDED`)
}

func TestPushSecretSelectsTemplatesAndRenames(t *testing.T) {
	s := startSecrets(t)
	s.localStore("one", `fake: {data: [{key: there, value: c4n4ry-before}]}`)
	s.localStore("two", `fake: {data: []}`)
	s.plainSecret("a", map[string]string{"db_user": "c4n4ry-u", "db_U0020_pass": "c4n4ry-p", "other": "c4n4ry-o"}, "pushed")
	s.plainSecret("b", map[string]string{"host": "c4n4ry-h"}, "pushed")
	read := func(name, store, regexp string, want map[string]string) {
		t.Helper()
		es := s.externalSecret(name, `{secretStoreRef: {name: `+store+`}, dataFrom: [{find: {name: {regexp: "`+regexp+`"}}}]}`)
		s.synced(es)
		if diff := cmp.Diff(want, s.data(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	ps := s.pushSecret("many", `
secretStoreRefs: [{labelSelector: {matchLabels: {store: two}}}]
selector: {secret: {selector: {matchLabels: {pushed: "true"}}}}
dataTo:
  - storeRef: {labelSelector: {matchLabels: {store: two}}}
    match: {regexp: "^(db|host)"}
    conversionStrategy: ReverseUnicode
    rewrite: [{regexp: {source: "^db", target: "database"}}, {transform: {template: "{{ .value | upper | replace \" \" \"-\" }}"}}]
`)
	s.awaitPush(ps, corev1.ConditionTrue, "")
	read("many-read", "two", "^[A-Z]", map[string]string{"DATABASE_USER": "c4n4ry-u", "DATABASE-PASS": "c4n4ry-p", "HOST": "c4n4ry-h"})

	ps = s.pushSecret("templated", `
secretStoreRefs: [{name: one, kind: SecretStore}]
updatePolicy: IfNotExists
selector: {secret: {name: a}}
template: {data: {url: "https://{{ .db_user }}@x"}}
data:
  - match: {secretKey: url, remoteRef: {remoteKey: made}}
  - match: {secretKey: url, remoteRef: {remoteKey: there}}
`)
	s.awaitPush(ps, corev1.ConditionTrue, "Existing secrets in providers unchanged")
	read("templated-read", "one", "made|there", map[string]string{"made": "https://c4n4ry-u@x", "there": "c4n4ry-before"})
}

func TestPushSecretFromAGenerator(t *testing.T) {
	s := startSecrets(t)
	s.localStore("one", `fake: {data: []}`)
	s.create(generatorObject("Password", s.namespace, "strong", map[string]any{"length": int64(40), "secretKeys": []any{"x", "y"}}))
	ps := s.pushSecret("made-up", `
secretStoreRefs: [{name: one}]
selector: {generatorRef: {kind: Password, name: strong}}
data: [{match: {secretKey: x, remoteRef: {remoteKey: x}}}]
`)
	s.awaitPush(ps, corev1.ConditionTrue, "")
	es := s.externalSecret("read", `{secretStoreRef: {name: one}, data: [{secretKey: x, remoteRef: {key: x}}]}`)
	s.synced(es)
	if got := s.data("read")["x"]; len(got) != 40 {
		t.Errorf("%d characters", len(got))
	}
}

func TestPushSecretRefused(t *testing.T) {
	s := startSecrets(t)
	s.localStore("here", `kubernetes: {remoteNamespace: `+s.namespace+`}`)
	s.localStore("played", `onepasswordSDK: {vault: Homelab}`)
	s.localStore("bad", `fake: {data: [], validationResult: 2}`)
	s.plainSecret("origin", map[string]string{"k": "c4n4ry-k"})
	for name, tt := range map[string]struct{ spec, message string }{
		"key":       {`{secretStoreRefs: [{name: here}], selector: {secret: {name: origin}}, data: [{match: {secretKey: none, remoteRef: {remoteKey: x, property: y}}}]}`, "secret key none does not exist"},
		"property":  {`{secretStoreRefs: [{name: here}], selector: {secret: {name: origin}}, data: [{match: {secretKey: k, remoteRef: {remoteKey: x}}}]}`, "remoteRef has no property"},
		"read-only": {`{secretStoreRefs: [{name: played}], selector: {secret: {name: origin}}, data: [{match: {secretKey: k, remoteRef: {remoteKey: x}}}]}`, "can only be read from"},
		"store":     {`{secretStoreRefs: [{name: none}], selector: {secret: {name: origin}}}`, `could not get SecretStore "none"`},
		"not-ready": {`{secretStoreRefs: [{name: bad}], selector: {secret: {name: origin}}, data: [{match: {secretKey: k, remoteRef: {remoteKey: x}}}]}`, "validationResult"},
		"elsewhere": {`{secretStoreRefs: [{name: here}], selector: {secret: {name: origin}}, data: [{match: {secretKey: k, remoteRef: {remoteKey: x, property: y}}, metadata: {spec: {remoteNamespace: default}}}]}`, "needs a ClusterSecretStore"},
	} {
		s.awaitPush(s.pushSecret(name, tt.spec), corev1.ConditionFalse, tt.message)
	}
}
