package schema

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
)

// FuzzValidate holds any object against the embedded schemas: it ends, and
// what it tells has a path that leads somewhere in the object.
func FuzzValidate(f *testing.F) {
	for _, seed := range []string{
		`{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{"port":"80"}]}}`,
		`{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","spec":{"versions":[{"schema":{"openAPIV3Schema":{"properties":{"a":{"items":{}}}}}}]}}`,
		`{"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","spec":{"rules":[null,{"matches":{}}]}}`,
		`{"apiVersion":"external-secrets.io/v1","kind":"ExternalSecret","spec":{"dataFrom":[{"rewrite":[{}]}]}}`,
		`{"apiVersion":1,"kind":[],"metadata":"x"}`,
		`{"apiVersion":"monitoring.coreos.com/v1","kind":"ScrapeConfig","spec":{"staticConfigs":[{"targets":[1]}],"horizon":1}}`,
	} {
		f.Add([]byte(seed))
	}
	set := Embedded()
	f.Fuzz(func(t *testing.T, data []byte) {
		obj := map[string]any{}
		if json.Unmarshal(data, &obj) != nil {
			return
		}
		problems, _ := set.Validate(&unstructured.Unstructured{Object: obj}, Options{Unknown: func(text string) bool { return strings.HasPrefix(text, "?") }})
		for _, p := range problems {
			if p.Message == "" || strings.HasSuffix(p.Message, ".") {
				t.Errorf("message %q", p.Message)
			}
			if len(p.Path) > 0 && !leads(obj, p.Path[:len(p.Path)-1]) {
				t.Errorf("%q leads nowhere: %s", p.Path, p.Message)
			}
		}
	})
}

// leads reports whether a path leads to a value.
func leads(v any, path []string) bool {
	for _, step := range path {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i := 0
			for _, digit := range step {
				i = i*10 + int(digit-'0')
			}
			if i >= len(in) {
				return false
			}
			v = in[i]
		default:
			return false
		}
	}
	return true
}

// FuzzDefinition holds any object against any schema: it ends, however the
// schema refers to itself or nests.
func FuzzDefinition(f *testing.F) {
	f.Add([]byte(`{"type":"object","properties":{"a":{"type":"string","pattern":"^a("}}}`), []byte(`{"a":"b"}`))
	f.Add([]byte(`{"$ref":"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"}`), []byte(`{"items":{"items":{}}}`))
	f.Add([]byte(`{"$ref":"#/components/schemas/a"}`), []byte(`{}`))
	f.Add([]byte(strings.Repeat(`{"anyOf":[`, 150)+`{"type":"string"}`+strings.Repeat(`]}`, 150)), []byte(`{"a":1}`))
	f.Add([]byte(strings.Repeat(`{"not":{"oneOf":[{},`, 90)+`{"type":"string"}`+strings.Repeat(`]}}`, 90)), []byte(`{"a":1}`))
	f.Add([]byte(`{"additionalProperties":{"default":null,"enum":[null,1]},"minProperties":-1,"multipleOf":0}`), []byte(`{"a":null}`))
	f.Add([]byte(`{"properties":{"a":null},"items":null,"allOf":[null],"oneOf":[null,{"anyOf":[null]}],"minProperties":3}`), []byte(`{"a":[null],"c":[null]}`))
	f.Fuzz(func(t *testing.T, schema, data []byte) {
		var holder, spec map[string]any
		if json.Unmarshal(schema, &holder) != nil || json.Unmarshal(data, &spec) != nil {
			return
		}
		d, err := CustomResourceDefinition(&unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
			"group": "example.test", "names": map[string]any{"kind": "Widget"},
			"versions": []any{map[string]any{"name": "v1", "served": true, "schema": map[string]any{"openAPIV3Schema": holder}}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		spec["apiVersion"], spec["kind"] = "example.test/v1", "Widget"
		if _, known := Embedded().With(d).Validate(&unstructured.Unstructured{Object: spec}, Options{}); !known {
			t.Error("the kind is not known")
		}
	})
}
