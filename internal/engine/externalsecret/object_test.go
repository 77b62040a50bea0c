package externalsecret

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	v1 "hearth/internal/api/externalsecrets/v1"
)

func TestPathOf(t *testing.T) {
	for target, want := range map[string]string{
		"spec.database":                        "spec/database",
		"spec.logLevel":                        "spec/loglevel", // as the operator does
		"metadata.namespace":                   "",
		"Kind":                                 "",
		"status.conditions":                    "",
		"apiVersion":                           "",
		"spec..x":                              "",
		strings.Repeat("a.", maxPath) + "last": "",
	} {
		path, err := pathOf(target)
		if got := strings.Join(path, "/"); got != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v", target, got, err)
		}
	}
}

func TestObjectContent(t *testing.T) {
	type step struct{ target, key, value string }
	for name, tt := range map[string]struct {
		set, place []step
		want       map[string]any
	}{
		"data":      {set: []step{{"", "a", "1"}, {"Data", "b", "x: y"}}, want: map[string]any{"data": map[string]any{"a": "1", "b": "x: y"}}},
		"spec":      {set: []step{{"spec", "a", "1"}}, want: map[string]any{"spec": map[string]any{"a": "1"}}},
		"path":      {set: []step{{"spec.a", "ignored", "1"}, {"spec.b", "ignored", "{"}}, want: map[string]any{"spec": map[string]any{"a": int64(1), "b": "{"}}},
		"placed":    {place: []step{{"spec", "", "a: {b: 1}"}, {"spec.a", "", "c: true"}}, want: map[string]any{"spec": map[string]any{"a": map[string]any{"b": int64(1), "c": true}}}},
		"replaced":  {place: []step{{"spec", "", "a: 1"}, {"spec", "", "b: 2"}}, want: map[string]any{"spec": map[string]any{"b": int64(2)}}},
		"over text": {place: []step{{"spec.a", "", "x"}, {"spec.a", "", "[1.5]"}}, want: map[string]any{"spec": map[string]any{"a": []any{1.5}}}},
	} {
		o := &objectContent{&unstructured.Unstructured{Object: map[string]any{}}}
		for _, s := range tt.set {
			if err := o.set(s.target, s.key, s.value); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, s := range tt.place {
			if err := o.place(s.target, s.value, "t"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if diff := cmp.Diff(tt.want, o.obj.Object); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	o := &objectContent{&unstructured.Unstructured{Object: map[string]any{"spec": "text"}}}
	for _, err := range []error{o.place("spec.a", "1", "t"), o.place("x", "c4n4ry: [", "t"), o.set("spec", "a", "c4n4ry")} {
		if err == nil || strings.Contains(err.Error(), "c4n4ry") {
			t.Errorf("got %v, want an error without the value", err)
		}
	}
	if !o.takesWhole("spec") || o.takesWhole("Labels") {
		t.Error("keys and values are taken for whole, or the other way round")
	}
}

// TestObjectDigestIgnoresBookkeeping lets statuses and versions change.
func TestObjectDigestIgnoresBookkeeping(t *testing.T) {
	obj := &unstructured.Unstructured{Object: map[string]any{"kind": "ConfigMap", "data": map[string]any{"a": "1"}}}
	before := objectDigest(obj)
	obj.SetResourceVersion("7")
	obj.Object["status"] = map[string]any{"ready": true}
	if objectDigest(obj) != before {
		t.Error("a status is taken for a change")
	}
	obj.SetLabels(map[string]string{"a": "b"})
	if objectDigest(obj) == before {
		t.Error("a changed label is not seen")
	}
}

func TestIsObject(t *testing.T) {
	es := &v1.ExternalSecret{}
	if isObject(es) {
		t.Error("a Secret is taken for another kind")
	}
	es.Spec.Target.Manifest = &v1.ManifestReference{APIVersion: "v1", Kind: "Secret"}
	if isObject(es) {
		t.Error("a Secret by its manifest is taken for another kind")
	}
	es.Spec.Target.Manifest.Kind = "ConfigMap"
	if !isObject(es) || emptyObject(es).GetAPIVersion() != "v1" {
		t.Error("a ConfigMap is taken for a Secret")
	}
}
