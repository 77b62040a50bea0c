package integration_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	esv1 "hearth/internal/api/externalsecrets/v1"
	esv1alpha1 "hearth/internal/api/externalsecrets/v1alpha1"
)

// TestClusterPushSecret follows the PushSecret that is made in the namespace of
// the test, which is labelled so that it can be selected and no longer be.
func TestClusterPushSecret(t *testing.T) {
	s := startSecrets(t)
	s.localStore("here", `kubernetes: {remoteNamespace: `+s.namespace+`}`)
	s.plainSecret("origin", map[string]string{"user": "c4n4ry-u"})
	s.label(s.namespace)
	cps := &esv1alpha1.ClusterPushSecret{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	spec := `
pushSecretName: shared
pushSecretMetadata: {labels: {team: home}, annotations: {note: x}}
refreshTime: 1h
namespaceSelectors: [{matchLabels: {secrets: none}}, {matchLabels: {secrets: ` + s.namespace + `}}]
pushSecretSpec:
  refreshInterval: 1h
  deletionPolicy: Delete
  secretStoreRefs: [{name: here}]
  selector: {secret: {name: origin}}
  data: [{match: {secretKey: user, remoteRef: {remoteKey: copy, property: USER}}}]
`
	if err := yaml.UnmarshalStrict([]byte(spec), &cps.Spec); err != nil {
		t.Fatal(err)
	}
	if err := s.client.Create(t.Context(), cps); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // it is deleted by the test itself, unless that failed
		if err := client.IgnoreNotFound(s.client.Delete(context.Background(), cps)); err != nil {
			t.Error(err)
		}
	})
	made := func(name string) *esv1alpha1.PushSecret {
		return &esv1alpha1.PushSecret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace}}
	}
	copied := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "copy", Namespace: s.namespace}}
	ps := made("shared")
	s.awaitPush(ps, corev1.ConditionTrue, "PushSecret synced successfully")
	s.holds("copy", map[string]string{"USER": "c4n4ry-u"})
	if owner := metav1.GetControllerOf(ps); owner == nil || owner.UID != cps.UID || ps.Labels["team"] != "home" || ps.Annotations["note"] != "x" {
		t.Errorf("owner %v, labels %v, annotations %v", owner, ps.Labels, ps.Annotations)
	}
	provisioned := func(want ...string) func() bool {
		return func() bool {
			return esv1.IsReady(cps.Status.Conditions) && slices.Equal(cps.Status.ProvisionedNamespaces, want)
		}
	}
	s.await(cps, "provisioned", provisioned(s.namespace))
	if cps.Status.PushSecretName != "shared" || len(cps.Status.FailedNamespaces) != 0 {
		t.Errorf("status %+v", cps.Status)
	}

	// Changes of what was made are undone; a change of the wish is taken over.
	ps.Spec.Data[0].Match.RemoteRef.Property = "OTHER"
	if err := s.client.Update(t.Context(), ps); err != nil {
		t.Fatal(err)
	}
	s.await(ps, "restored", func() bool { return ps.Spec.Data[0].Match.RemoteRef.Property == "USER" })
	change := func(f func()) {
		t.Helper()
		if err := s.client.Get(t.Context(), client.ObjectKeyFromObject(cps), cps); err != nil {
			t.Fatal(err)
		}
		patch := client.MergeFrom(cps.DeepCopy())
		f()
		if err := s.client.Patch(t.Context(), cps, patch); err != nil {
			t.Fatal(err)
		}
	}
	change(func() { cps.Spec.PushSecretSpec.Data[0].Match.RemoteRef.Property = "NAME" })
	s.holds("copy", map[string]string{"NAME": "c4n4ry-u"})

	// Another name moves it; another label takes it away, and what was pushed.
	change(func() { cps.Spec.PushSecretName = "moved" })
	s.isGone(ps)
	s.awaitPush(made("moved"), corev1.ConditionTrue, "")
	s.label("other")
	s.isGone(made("moved"))
	s.isGone(copied)
	s.await(cps, "in no namespace", provisioned())

	// One that is somebody else's is left alone.
	theirs := s.pushSecret("theirs", `{secretStoreRefs: [{name: here}], selector: {secret: {name: origin}}}`)
	s.label("again")
	change(func() {
		cps.Spec.PushSecretName, cps.Spec.NamespaceSelectors = "theirs", []*metav1.LabelSelector{{MatchLabels: map[string]string{"secrets": "again"}}}
	})
	s.await(cps, "refused", func() bool {
		want := []esv1.NamespaceFailure{{Namespace: s.namespace, Reason: "push secret already exists in namespace"}}
		return cmp.Equal(want, cps.Status.FailedNamespaces)
	})
	if c := cps.Status.Conditions[0]; c.Status != corev1.ConditionFalse || c.Message != "one or more namespaces failed" {
		t.Errorf("condition %+v", c)
	}

	// It goes with all that was made of it.
	change(func() { cps.Spec.PushSecretName = "" })
	own := made(cps.Name)
	s.awaitPush(own, corev1.ConditionTrue, "")
	s.holds("copy", map[string]string{"NAME": "c4n4ry-u"})
	if err := s.client.Delete(t.Context(), cps); err != nil {
		t.Fatal(err)
	}
	s.isGone(cps)
	s.isGone(own)
	s.isGone(copied)
	s.await(theirs, "there", func() bool { return theirs.DeletionTimestamp == nil })
}
