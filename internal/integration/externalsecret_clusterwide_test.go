package integration_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	esv1 "hearth/internal/api/externalsecrets/v1"
)

// generatorObject returns an object that makes values up; a namespace of "" is none.
func generatorObject(kind, namespace, name string, spec map[string]any) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	obj.SetGroupVersionKind(schema.GroupVersionKind{Group: "generators.external-secrets.io", Version: "v1alpha1", Kind: kind})
	obj.SetNamespace(namespace)
	obj.SetName(name)
	return obj
}

// label labels the namespace of the test, so that it can be selected.
func (s *secrets) label(value string) {
	s.t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	patch := []byte(`{"metadata":{"labels":{"secrets":"` + value + `"}}}`)
	if err := s.client.Patch(s.t.Context(), ns, client.RawPatch("application/merge-patch+json", patch)); err != nil {
		s.t.Fatal(err)
	}
}

func TestClusterExternalSecret(t *testing.T) {
	s := startSecrets(t)
	s.connectStore(true)
	// The reconcilers of the test follow ExternalSecrets of one namespace only;
	// it is labelled, so that it can be selected and no longer be.
	s.label(s.namespace)
	ces := &esv1.ClusterExternalSecret{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	spec := `
externalSecretName: shared
externalSecretMetadata: {labels: {team: home}, annotations: {note: x}}
refreshTime: 1h
namespaceSelectors: [{matchLabels: {secrets: none}}, {matchLabels: {secrets: ` + s.namespace + `}}]
externalSecretSpec:
  secretStoreRef: {kind: ClusterSecretStore, name: ` + s.store + `}
  data: [{secretKey: T, remoteRef: {key: plex, property: token}}]
`
	if err := yaml.UnmarshalStrict([]byte(spec), &ces.Spec); err != nil {
		t.Fatal(err)
	}
	s.create(ces)
	es := &esv1.ExternalSecret{ObjectMeta: metav1.ObjectMeta{Name: "shared", Namespace: s.namespace}}
	s.synced(es)
	if diff := cmp.Diff(map[string]string{"T": "c4n4ry-token"}, s.data("shared")); diff != "" {
		t.Error(diff)
	}
	if owner := metav1.GetControllerOf(es); owner == nil || owner.UID != ces.UID || es.Labels["team"] != "home" || es.Annotations["note"] != "x" {
		t.Errorf("owner %v, labels %v, annotations %v", owner, es.Labels, es.Annotations)
	}
	provisioned := func(want ...string) func() bool {
		return func() bool {
			return esv1.IsReady(ces.Status.Conditions) && slices.Equal(ces.Status.ProvisionedNamespaces, want)
		}
	}
	s.await(ces, "provisioned", provisioned(s.namespace))
	if ces.Status.ExternalSecretName != "shared" || len(ces.Status.FailedNamespaces) != 0 {
		t.Errorf("status %+v", ces.Status)
	}

	// Changes of its own are undone; a wish to sync is none.
	es.Spec.Data[0].SecretKey = "U"
	if err := s.client.Update(t.Context(), es); err != nil {
		t.Fatal(err)
	}
	s.await(es, "restored", func() bool { return es.Spec.Data[0].SecretKey == "T" })
	s.forceSync(es)
	if es.Annotations[esv1.ForceSyncAnnotation] == "" {
		t.Error("the wish to sync is gone")
	}

	// Another name moves it; another label takes it away.
	change := func(f func()) {
		t.Helper()
		if err := s.client.Get(t.Context(), client.ObjectKeyFromObject(ces), ces); err != nil {
			t.Fatal(err)
		}
		patch := client.MergeFrom(ces.DeepCopy())
		f()
		if err := s.client.Patch(t.Context(), ces, patch); err != nil {
			t.Fatal(err)
		}
	}
	change(func() { ces.Spec.ExternalSecretName = "moved" })
	s.isGone(es)
	moved := &esv1.ExternalSecret{ObjectMeta: metav1.ObjectMeta{Name: "moved", Namespace: s.namespace}}
	s.synced(moved)
	s.label("other")
	s.isGone(moved)
	s.await(ces, "in no namespace", provisioned())

	// One that is somebody else's is left alone.
	s.externalSecret("theirs", `data: [{secretKey: T, remoteRef: {key: plex, property: token}}]`)
	change(func() {
		ces.Spec.ExternalSecretName, ces.Spec.Namespaces = "theirs", []string{s.namespace}
	})
	s.await(ces, "refused", func() bool {
		return len(ces.Status.FailedNamespaces) == 1 && ces.Status.FailedNamespaces[0].Reason == "external secret already exists in namespace"
	})
	if c := ces.Status.Conditions[0]; c.Status != corev1.ConditionFalse || c.Message != "one or more namespaces failed" {
		t.Errorf("condition %+v", c)
	}
	s.label("again")
	change(func() {
		ces.Spec.ExternalSecretName, ces.Spec.Namespaces, ces.Spec.NamespaceSelectors = "", nil, nil
		ces.Spec.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"secrets": "again"}}
	})
	s.synced(&esv1.ExternalSecret{ObjectMeta: metav1.ObjectMeta{Name: ces.Name, Namespace: s.namespace}})
}

func TestExternalSecretGenerators(t *testing.T) {
	s := startSecrets(t)
	s.create(generatorObject("Password", s.namespace, "strong", map[string]any{"length": int64(30), "digits": int64(5), "symbols": int64(0)}))
	s.create(generatorObject("UUID", s.namespace, "id", map[string]any{}))
	clusterName := s.namespace
	global := generatorObject("ClusterGenerator", "", clusterName, map[string]any{
		"kind": "Password", "generator": map[string]any{"passwordSpec": map[string]any{"length": int64(12), "encoding": "hex"}},
	})
	if err := s.client.Create(t.Context(), global); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.client.Delete(context.Background(), global); err != nil {
			t.Error(err)
		}
	})
	es := s.externalSecret("made-up", `
refreshInterval: "0"
dataFrom:
  - sourceRef: {generatorRef: {apiVersion: generators.external-secrets.io/v1alpha1, kind: Password, name: strong}}
    rewrite: [{regexp: {source: password, target: PASS}}]
  - sourceRef: {generatorRef: {kind: UUID, name: id}}
  - sourceRef: {generatorRef: {kind: ClusterGenerator, name: `+clusterName+`}}
`)
	s.synced(es)
	data := s.data("made-up")
	if len(data) != 3 || len(data["PASS"]) != 30 || len(data["uuid"]) != 36 || len(data["password"]) != 24 {
		t.Errorf("lengths %d %d %d", len(data["PASS"]), len(data["uuid"]), len(data["password"]))
	}
	s.forceSync(es)
	if s.data("made-up")["PASS"] == data["PASS"] {
		t.Error("a sync makes no new password")
	}
	for name, tt := range map[string]struct{ spec, message string }{
		"none":    {`dataFrom: [{sourceRef: {generatorRef: {kind: Password, name: none}}}]`, `the generator Password "none" does not exist`},
		"unknown": {`dataFrom: [{sourceRef: {generatorRef: {kind: SSHKey, name: x}}}]`, `none that Hearth plays`},
		"data":    {`data: [{secretKey: x, remoteRef: {key: y}, sourceRef: {generatorRef: {kind: UUID, name: id}}}]`, "name it in dataFrom.sourceRef"},
	} {
		s.awaitReady(s.externalSecret(name, tt.spec), corev1.ConditionFalse, tt.message)
	}
}
