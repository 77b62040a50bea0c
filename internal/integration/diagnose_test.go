package integration_test

import (
	"testing"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/diagnose"
	"hearth/internal/diagnose/causes"
	follows "hearth/internal/kube/gitops"
)

// TestDiagnose reads the cluster once, and finds what one Kustomization waits
// for; a Secret's value is in nobody's hands.
func TestDiagnose(t *testing.T) {
	t.Parallel()
	o := observeNamespace(t)
	o.create(&corev1.Secret{ObjectMeta: o.meta("planted"), StringData: map[string]string{"key": "hunter2"}})
	k := &kustomizev1.Kustomization{ObjectMeta: o.meta("app")}
	k.Spec.Interval = metav1.Duration{Duration: time.Hour}
	k.Spec.SourceRef = kustomizev1.CrossNamespaceSourceReference{Kind: "GitRepository", Name: "none"}
	k.Spec.DependsOn = []kustomizev1.DependencyReference{{Name: "databse"}}
	o.create(k)
	k.Status.Conditions = conditionsOf("Ready", "False", "DependencyNotReady", "dependency 'databse' not found")
	o.update(k)

	c, err := follows.Open(cluster(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	w, err := diagnose.Read(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range w.All(diagnose.Secret) {
		if len(secret.Fields) != 1 {
			t.Errorf("%s has content", secret.Ref())
		}
	}
	of, err := w.Target("ks/app", o.namespace)
	if err != nil {
		t.Fatal(err)
	}
	r := causes.Explain(t.Context(), w, diagnose.Options{Of: of})
	if len(r.Findings) != 1 || len(r.Unexplained) != 0 {
		t.Fatalf("%d findings and %d unexplained, want one finding", len(r.Findings), len(r.Unexplained))
	}
	if f := r.Findings[0]; f.Cause != "dependency-not-met" || f.Subject != diagnose.Kustomization.Key(o.namespace, "databse") {
		t.Errorf("found %s at %v", f.Cause, f.Subject)
	}
}
