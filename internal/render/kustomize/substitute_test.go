package kustomize

import (
	"testing"

	generator "github.com/fluxcd/pkg/kustomize"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/yaml"
)

// TestSubstitutesAsFlux holds the substitution to Flux's own.
func TestSubstitutesAsFlux(t *testing.T) {
	variables := map[string]string{"A": "one", "NUMBER": "7", "BLANK": "", "LINES": "a\nb", "QUOTED": `"x"`, "MAP": "{k: v}"}
	for name, data := range map[string]string{
		"plain":       "a: ${A}",
		"number":      "a: ${NUMBER}\nb: \"${NUMBER}\"",
		"blank":       "a: ${BLANK}",
		"lines":       "a: ${LINES}",
		"quoted":      "a: ${QUOTED}",
		"structure":   "a: ${MAP}",
		"default":     "a: ${NONE:=d}\nb: ${NONE:-${A}}\nc: ${NONE:+x}",
		"nested":      "a: ${NONE:=${ALSO:=b}}",
		"escaped":     "a: $${A}\nb: $A\nc: $$",
		"operators":   "a: ${A^^} ${#A} ${A/o/0} ${A:1:2}",
		"missing":     "a: ${NONE}",
		"broken":      "a: ${A",
		"broken YAML": "a: 'x: ${QUOTED}'\nb: \"- ${MAP}\"",
		"block":       "a: |\n  x ${A}\n  y ${LINES}\n",
		"opted out":   "a: ${A}\nmetadata: {name: x, annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}}",
	} {
		for _, strict := range []bool{true, false} {
			text := "apiVersion: v1\nkind: Thing\n" + data
			if name != "opted out" {
				text += "\nmetadata: {name: x}"
			}
			got, gotErr := substituted(t, text, &substitution{variables: withoutLines(variables), strict: strict})
			want, wantErr := substitutedByFlux(t, text, variables, strict)
			if (gotErr == nil) != (wantErr == nil) || gotErr != nil && gotErr.Error() != wantErr.Error() {
				t.Errorf("%s, strict %v: error %v, want %v", name, strict, gotErr, wantErr)
			}
			if diff := cmp.Diff(want, got); gotErr == nil && diff != "" {
				t.Errorf("%s, strict %v (-Flux +ours):\n%s", name, strict, diff)
			}
		}
	}
}

func withoutLines(variables map[string]string) map[string]string {
	b := &build{}
	b.request.Variables = variables
	b.request.Kustomization = &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"postBuild": map[string]any{}}}}
	s, err := b.variables()
	if err != nil {
		panic(err)
	}
	return s.variables
}

func substituted(t *testing.T, text string, s *substitution) (any, error) {
	t.Helper()
	res, err := provider.NewDefaultDepProvider().GetResourceFactory().FromBytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	data, err := res.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if optsOut(res.GetLabels(), res.GetAnnotations()) {
		return decoded(t, data), nil
	}
	_, data, err = s.substitute(data)
	return decoded(t, data), err
}

func substitutedByFlux(t *testing.T, text string, variables map[string]string, strict bool) (any, error) {
	t.Helper()
	res, err := provider.NewDefaultDepProvider().GetResourceFactory().FromBytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var k unstructured.Unstructured
	k.Object = map[string]any{}
	if err := unstructured.SetNestedStringMap(k.Object, variables, "spec", "postBuild", "substitute"); err != nil {
		t.Fatal(err)
	}
	if _, err := generator.SubstituteVariables(t.Context(), nil, k, res, generator.SubstituteWithDryRun(true), generator.SubstituteWithStrict(strict)); err != nil {
		return nil, err
	}
	data, err := res.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return decoded(t, data), nil
}

func decoded(t *testing.T, data []byte) any {
	t.Helper()
	if data == nil {
		return nil
	}
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
