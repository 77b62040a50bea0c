package integration_test

import (
	"context"
	"strings"
	"testing"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// drifting is a chart of objects that others change.
var drifting = files{
	"templates/a.yaml": configOf("a", "x: one, y: two", ""),
	"templates/b.yaml": configOf("b", "x: one", ""),
	"templates/c.yaml": configOf("c", "x: one", "helm.toolkit.fluxcd.io/driftDetection: disabled"),
	"templates/s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: {{ .Release.Name }}-s}\nstringData: {password: correct-horse-battery}\n",
}

func TestHelmReleaseDrift(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.push("drifting", "1.0.0", drifting)
	hr := r.release("demo", "drifting", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.DriftDetection = &helmv2.DriftDetection{
			Mode: helmv2.DriftDetectionEnabled,
			Ignore: []helmv2.IgnoreRule{
				{Paths: []string{"/data/y"}, Target: &kustomize.Selector{Version: "v1", Kind: "ConfigMap", Namespace: r.namespace, Name: "demo-a", LabelSelector: "app.kubernetes.io/managed-by=Helm", AnnotationSelector: "meta.helm.sh/release-name=demo"}},
				{Paths: []string{"/data/x"}, Target: &kustomize.Selector{Group: "apps"}},
			},
		}
	})
	r.ready(hr)
	if c := conditions.Get(hr, helmv2.DriftedCondition); c == nil || c.Status != metav1.ConditionFalse || c.Reason != helmv2.NoDriftDetectedReason {
		t.Errorf("as installed: %+v", c)
	}

	r.edit("demo-a", func(c *corev1.ConfigMap) { c.Data["x"], c.Data["y"], c.Data["mine"] = "changed", "changed", "kept" })
	r.edit("demo-c", func(c *corev1.ConfigMap) { c.Data["x"] = "changed" })
	gone := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "demo-b"}}
	if err := r.client.Delete(context.Background(), gone); err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{}
	if !r.object(secret, "demo-s") {
		t.Fatal("there is no Secret")
	}
	secret.Data["password"] = []byte("hunter22hunter22")
	if err := r.client.Update(context.Background(), secret); err != nil {
		t.Fatal(err)
	}
	r.request(hr)
	r.ready(hr)
	if a := r.configMap("demo-a"); a["x"] != "one" || a["y"] != "changed" || a["mine"] != "kept" {
		t.Errorf("corrected to %v", a)
	}
	if r.configMap("demo-b")["x"] != "one" || r.configMap("demo-c")["x"] != "changed" {
		t.Errorf("corrected to %v and %v", r.configMap("demo-b"), r.configMap("demo-c"))
	}
	if r.object(secret, "demo-s"); string(secret.Data["password"]) != "correct-horse-battery" {
		t.Error("the Secret is not corrected")
	}
	// A change may be found before the next is made: each is told, once or the other time.
	detected := r.told(hr, helmv2.DriftDetectedReason,
		"ConfigMap/"+r.namespace+"/demo-a changed (0 additions, 1 changes, 0 removals): /data/x\n",
		"ConfigMap/"+r.namespace+"/demo-b removed", "ConfigMap/"+r.namespace+"/demo-c excluded",
		"Secret/"+r.namespace+"/demo-s changed (0 additions, 1 changes, 0 removals): /data/password",
	)
	corrected := r.told(hr, "DriftCorrected", "demo-a configured", "demo-b created")
	if strings.Contains(detected+corrected, "hunter22") || strings.Contains(detected+corrected, "correct-horse") {
		t.Error("an event shows what a Secret holds")
	}
	if rel := r.revision("demo"); rel.Version != 1 {
		t.Errorf("the correction made revision %d", rel.Version)
	}

	// Told only.
	r.change(hr, func() { hr.Spec.DriftDetection.Mode = helmv2.DriftDetectionWarn })
	r.ready(hr)
	r.edit("demo-b", func(c *corev1.ConfigMap) { c.Data["x"] = "again" })
	r.request(hr)
	r.await(hr, patience, "drifted and ready", func() bool {
		return conditions.IsTrue(hr, helmv2.DriftedCondition) && conditions.IsTrue(hr, meta.ReadyCondition)
	})
	if r.configMap("demo-b")["x"] != "again" {
		t.Error("corrected, though only to be told")
	}
	// Not looked for.
	r.change(hr, func() { hr.Spec.DriftDetection = nil })
	r.await(hr, patience, "without a word on drift", func() bool {
		return !conditions.Has(hr, helmv2.DriftedCondition) && hr.Status.ObservedGeneration == hr.Generation
	})
}
