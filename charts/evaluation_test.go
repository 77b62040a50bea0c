package charts

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEvaluationLeavesValuesAlone renders values that are templates in part:
// what is none stays as it is, and templates see values as they were given.
func TestEvaluationLeavesValuesAlone(t *testing.T) {
	given := values(t, `
controllers: {main: {containers: {main: {image: {repository: example.org/app, tag: "1"}, env: {NAME: "{{ .Release.Name }}", PLAIN: "{ {", RAW: "{{ .Values.configMaps.a.data.text }}"}}}}}
configMaps:
  a:
    data:
      text: "of {{ .Release.Namespace }}"
      "{{ .Release.Name }}.conf": "{}"
      map: {b: ["{{ .Release.Name }}", 2]}
`)
	objects, err := render(load(t, "app-template"), "shop", given)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"text": "of home", "shop.conf": "{}", "map": "b:\n- shop\n- 2"}
	if diff := cmp.Diff(want, field(find(objects, "ConfigMap", "shop"), "data")); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	env := field(find(objects, "Deployment", "shop"), "spec.template.spec.containers.0.env")
	if diff := cmp.Diff([]any{
		map[string]any{"name": "NAME", "value": "shop"},
		map[string]any{"name": "PLAIN", "value": "{ {"},
		map[string]any{"name": "RAW", "value": "of {{ .Release.Namespace }}"},
	}, env); diff != "" {
		t.Errorf("env (-want +got):\n%s", diff)
	}
}
