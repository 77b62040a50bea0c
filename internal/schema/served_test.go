package schema

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestServed(t *testing.T) {
	served := object(t, `{metadata: {name: widgets.example.test}, spec: {group: example.test, names: {kind: Widget}, versions: [{name: v1, served: true}, {name: v0, served: false}]}}`)
	d, err := CustomResourceDefinition(served)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		apiVersion, kind, kubernetes string
		want                         string // the message
		fix                          string
		known                        bool
	}{
		{apiVersion: "apps/v1", kind: "DaemonSet", known: true, want: "`spec` is missing"},
		{apiVersion: "policy/v1beta1", kind: "PodDisruptionBudget", known: true,
			want: "Kubernetes does not serve PodDisruptionBudget as `policy/v1beta1` since version 1.25; `policy/v1` replaces it",
			fix:  "write `policy/v1`, and adapt the fields that changed"},
		{apiVersion: "policy/v1beta1", kind: "PodDisruptionBudget", kubernetes: "v1.24.1"},
		{apiVersion: "policy/v1beta1", kind: "PodDisruptionBudget", kubernetes: "1.25", known: true,
			want: "Kubernetes does not serve PodDisruptionBudget as `policy/v1beta1` since version 1.25; `policy/v1` replaces it",
			fix:  "write `policy/v1`, and adapt the fields that changed"},
		{apiVersion: "policy/v1beta1", kind: "PodSecurityPolicy", known: true,
			want: "Kubernetes does not serve PodSecurityPolicy as `policy/v1beta1` since version 1.25"},
		{apiVersion: "extensions/v1beta1", kind: "Ingress", known: true,
			want: "Kubernetes does not serve Ingress as `extensions/v1beta1` since version 1.22; `networking.k8s.io/v1` replaces it",
			fix:  "write `networking.k8s.io/v1`, and adapt the fields that changed"},
		{apiVersion: "autoscaling/v3", kind: "HorizontalPodAutoscaler", known: true,
			want: "Kubernetes does not serve HorizontalPodAutoscaler as `autoscaling/v3`, but as `autoscaling/v2` and `autoscaling/v1`",
			fix:  "write `autoscaling/v2`"},
		{apiVersion: "v1", kind: "Deployment", known: true,
			want: "Kubernetes does not serve Deployment as `v1`, but as `apps/v1`", fix: "write `apps/v1`"},
		{apiVersion: "apps/v1", kind: "Deplyoment", known: true,
			want: "Kubernetes has no kind `Deplyoment` in `apps/v1`: did you mean `Deployment`", fix: "write `Deployment`"},
		{apiVersion: "v1", kind: "Something", known: true, want: "Kubernetes has no kind `Something` in `v1`"},
		{apiVersion: "app/v1", kind: "Deployment", known: true,
			want: "there is no API group `app`: Deployment is served as `apps/v1`", fix: "write `apps/v1`"},
		{apiVersion: "nonsense/v1", kind: "Nonsense", known: true, want: "there is no API group `nonsense`"},
		{apiVersion: "unheard.of/v1", kind: "Thing"},
		{apiVersion: "example.test/v1", kind: "Widget", known: true},
		{apiVersion: "example.test/v0", kind: "Widget", known: true,
			want: "Widget is not served as `example.test/v0`, but as `example.test/v1`", fix: "write `example.test/v1`"},
		{apiVersion: "helm.toolkit.fluxcd.io/v2beta1", kind: "HelmRelease", known: true,
			want: "HelmRelease is not served as `helm.toolkit.fluxcd.io/v2beta1`, but as `helm.toolkit.fluxcd.io/v2`",
			fix:  "write `helm.toolkit.fluxcd.io/v2`"},
		{apiVersion: "snapshot.storage.k8s.io/v1", kind: "VolumeSnapshotClass", known: true, want: "`deletionPolicy` is missing"},
		{apiVersion: "", kind: "", known: false},
		{apiVersion: "v1", kind: "", known: false},
	} {
		obj := &unstructured.Unstructured{Object: map[string]any{"apiVersion": test.apiVersion, "kind": test.kind, "metadata": map[string]any{"name": "a"}}}
		problems, known := Embedded().With(d).Validate(obj, Options{Kubernetes: test.kubernetes})
		var first Problem
		if len(problems) > 0 {
			first = problems[0]
		}
		if known != test.known || first.Message != test.want || first.Fix != test.fix {
			t.Errorf("%s %s at %q: %q, fix %q, known: %t", test.apiVersion, test.kind, test.kubernetes, first.Message, first.Fix, known)
		}
	}
}

// TestRemovalsAreNotServed guards against a version that came back, and
// against a replacement that is gone.
func TestRemovalsAreNotServed(t *testing.T) {
	a := unpack()
	for version, r := range removals {
		if _, ok := a.kinds[version]; ok {
			t.Errorf("%s is served", version)
		}
		group, _ := splitVersion(r.replacement)
		served := false
		for _, kind := range a.groups[group] {
			served = served || kind.apiVersion == r.replacement
		}
		if r.replacement != "" && !served {
			t.Errorf("%s, which replaces %s, is not served", r.replacement, version)
		}
	}
}

func TestOnlyHearthsOwnDefinitionsAreDated(t *testing.T) {
	obj := object(t, "{apiVersion: helm.toolkit.fluxcd.io/v1, kind: HelmRelease, metadata: {name: a}}")
	theirs, err := CustomResourceDefinition(object(t, "{spec: {group: helm.toolkit.fluxcd.io, names: {kind: HelmRelease}, versions: [{name: v2beta1, served: true}]}}"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		set  *Set
		want bool
	}{{Embedded(), true}, {Embedded().With(theirs), false}} {
		problems, _ := test.set.Validate(obj, Options{})
		if len(problems) != 1 || problems[0].Dated != test.want {
			t.Errorf("%+v, want dated: %t", problems, test.want)
		}
	}
}
