package resourceset

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// inputs reads sets of inputs as the API server would hand them out.
func inputs(t testing.TB, text string) []map[string]any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte("inputs:\n" + text))
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(append([]byte(`{"apiVersion":"v1","kind":"X",`), data[1:]...)); err != nil {
		t.Fatal(err)
	}
	all, _, _ := unstructured.NestedSlice(u.Object, "inputs")
	var sets []map[string]any
	for _, each := range all {
		sets = append(sets, each.(map[string]any))
	}
	return sets
}

func resource(t testing.TB, text string) json.RawMessage {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func names(objects []*unstructured.Unstructured) []string {
	var all []string
	for _, obj := range objects {
		all = append(all, obj.GetKind()+"/"+obj.GetName())
	}
	return all
}

func TestResourcesAreMadeForEachInput(t *testing.T) {
	objects, err := Build(t.Context(), Templates{Resources: []json.RawMessage{
		resource(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: shared}, data: {a: b}}`),
		resource(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: "app-<< inputs.tenant >>"}, data: {count: "<< inputs.app.replicas | int | quote >>", all: "<< inputs.app | toYaml | nindent 4 >>"}}`),
	}}, inputs(t, "- {tenant: one, app: {replicas: 2}}\n- {tenant: two, app: {replicas: 3}}"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ConfigMap/shared", "ConfigMap/app-one", "ConfigMap/app-two"}, names(objects)); diff != "" {
		t.Error(diff)
	}
	got, _, _ := unstructured.NestedMap(objects[2].Object, "data")
	if diff := cmp.Diff(map[string]any{"count": "3", "all": map[string]any{"replicas": int64(3)}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestATemplateMakesAStreamOfObjects(t *testing.T) {
	objects, err := Build(t.Context(), Templates{
		Resources: []json.RawMessage{resource(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: front}, data: {from: resources}}`)},
		Text: `
<<- range $c := inputs.components >>
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: << $c >>
  annotations:
    fluxcd.controlplane.io/reconcile: << if eq $c "back" >>disabled<< else >>enabled<< end >>
data: {from: template}
<<- end >>`,
	}, inputs(t, "- components: [front, back, side]"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ConfigMap/front", "ConfigMap/side"}, names(objects)); diff != "" {
		t.Error(diff)
	}
	if from, _, _ := unstructured.NestedString(objects[0].Object, "data", "from"); from != "resources" {
		t.Errorf("of doubles the one from %s stays, want that of spec.resources", from)
	}
}

func TestWithoutInputsTemplatesAreExecutedOnce(t *testing.T) {
	objects, err := Build(t.Context(), Templates{Text: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '<< \"A b\" | slugify >>'}"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ConfigMap/a-b"}, names(objects)); diff != "" {
		t.Error(diff)
	}
}

func TestStepsShareNoObject(t *testing.T) {
	one := Templates{Text: "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}"}
	_, err := BuildSteps(t.Context(), []Step{{"first", one}, {"second", one}}, nil)
	if err == nil || !strings.Contains(err.Error(), `duplicate resource ConfigMap/x in step "second", already defined in step "first"`) {
		t.Errorf("got %v", err)
	}
}

func TestCombine(t *testing.T) {
	own := Provider{Kind: "ResourceSet", Namespace: "apps", Name: "My.Set", Inputs: []map[string]any{{"a": "1"}, {"a": "2"}}}
	others := []Provider{
		{Kind: "ResourceSetInputProvider", Namespace: "apps", Name: "z", Inputs: []map[string]any{{"z": "1"}}},
		{Kind: "ResourceSetInputProvider", Namespace: "apps", Name: "b", Inputs: []map[string]any{{"b": "1"}, {"b": "2"}}},
		{Kind: "ResourceSetInputProvider", Namespace: "apps", Name: "empty"},
	}
	flat, err := Combine(own, others, Strategy{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, set := range flat {
		got = append(got, set["provider"].(map[string]any)["name"].(string))
	}
	if diff := cmp.Diff([]string{"My.Set", "My.Set", "b", "b", "z"}, got); diff != "" {
		t.Error(diff)
	}
	permuted, err := Combine(own, others, Strategy{Permute: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(permuted) != 4 || permuted[0]["my_set"].(map[string]any)["a"] != "1" || permuted[1]["b"].(map[string]any)["b"] != "2" {
		t.Errorf("got %v", permuted)
	}
	if want := ID("my_set=0/b=0/z=0"); permuted[0]["id"] != want {
		t.Errorf("the first permutation is called %v, want %v", permuted[0]["id"], want)
	}
	if none, err := Combine(own, others, Strategy{Permute: true, IncludeEmpty: true}); err != nil || len(none) != 0 {
		t.Errorf("with an empty provider that counts: %v, %v", none, err)
	}
	many := Provider{Name: "many", Inputs: make([]map[string]any, 101)}
	more := Provider{Name: "more", Inputs: make([]map[string]any, 100)}
	if _, err := Combine(many, []Provider{more}, Strategy{Permute: true}); err == nil {
		t.Error("10100 permutations are made, want an error")
	}
}

// TestTemplatesAreBounded executes templates that would take for ever, or all
// of the memory.
func TestTemplatesAreBounded(t *testing.T) {
	for name, text := range map[string]string{
		"a loop without end":    `<< range 1000000000000 >><< end >>`,
		"recursion":             `<< define "a" >><< template "a" >><< end >><< template "a" >>`,
		"branching recursion":   `<< define "a" >><< if lt . 60 >><< template "a" (add . 1 | int) >><< template "a" (add . 1 | int) >><< end >><< end >><< template "a" 0 >>`,
		"doubled text":          `<< $x := "aaaaaaaa" >><< range 60 >><< $x = printf "%s%s" $x $x >><< end >>`,
		"doubled list":          `<< $x := list 1 >><< range 60 >><< $x = concat $x $x >><< end >>`,
		"laughs":                `<< $x := list 1 >><< range 60 >><< $x = list $x $x >><< end >><< $x | toYaml >>`,
		"laughs printed":        `<< $x := list 1 >><< range 60 >><< $x = list $x $x >><< end >><< $x >>`,
		"a map in itself":       `<< $x := dict >><< $_ := set $x "x" $x >><< $x >>`,
		"a wide number":         `<< printf "%999999999d" 1 >>`,
		"a width from outside":  `<< printf "%*d" 999999 1 >>`,
		"many wide numbers":     `<< printf "` + strings.Repeat("%900000d", 9) + `" 1 2 3 4 5 6 7 8 9 >>`,
		"repeat":                `<< repeat 1000000000 "a" >>`,
		"indent":                `<< indent 1000000000 "a" >>`,
		"until":                 `<< until 1000000000 >>`,
		"replace":               `<< $x := repeat 60000 "a" >><< replace "a" $x $x >>`,
		"much output":           `<< $x := repeat 60000 "a" >><< range 1000 >><< $x >><< end >>`,
		"an undefined function": `<< env "HOME" >>`,
		"the network":           `<< getHostByName "example.org" >>`,
		"the time":              `<< now >>`,
		"a missing input":       `<< inputs.nothing >>`,
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			objects, err := Build(ctx, Templates{Text: text}, []map[string]any{{"a": "b"}})
			if err == nil || ctx.Err() != nil {
				t.Errorf("made %v, %v", names(objects), err)
			}
		})
	}
}

func TestATemplateCannotChangeItsInputs(t *testing.T) {
	in := []map[string]any{{"a": map[string]any{"b": "c"}}}
	_, err := Build(t.Context(), Templates{Text: `{apiVersion: v1, kind: ConfigMap, metadata: {name: << $_ := set inputs.a "b" "d" >><< inputs.a.b >>}}`}, in)
	if err != nil {
		t.Fatal(err)
	}
	if in[0]["a"].(map[string]any)["b"] != "c" {
		t.Error("the inputs have changed")
	}
}

func TestATemplateEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Build(ctx, Templates{Text: `<< range 1000 >>a<< end >>`}, nil); err == nil {
		t.Error("it was executed")
	}
}

func TestFunctions(t *testing.T) {
	for text, want := range map[string]string{
		`<< get inputs "name" | default inputs.ns >>`:           "team",
		`<< inputs.list | join "," >>`:                          "a,b",
		`<< keys inputs.map | join "," >>`:                      "x,z",
		`<< inputs.count | int >>`:                              "2",
		`<< "Grüße & Ölflecken" | slugify >>`:                   "grusse-and-olflecken",
		`<< if inputs.enabled >>yes<< end >>`:                   "yes",
		`<< index inputs.list 1 >>`:                             "b",
		`<< range $i, $v := inputs.list >><< $i >><< end >>`:    "01",
		`<< printf "%s-%02d" inputs.ns 7 >>`:                    "team-07",
		`<< dict "a" (list 1 2) | toJson >>`:                    `{"a":[1,2]}`,
		`<< with inputs.map >><< .x >><< else >>none<< end >>`:  "1",
		`<< eq (randInt 0 1000000) (randInt 0 1000000) >>`:      "false",
		`<< "a.b.c" | replace "." "-" | trunc 3 | upper >>`:     "A-B",
		`<< coalesce (get inputs "no") "second" >>`:             "second",
		`<< sha256sum "" | trunc 8 >>`:                          "e3b0c442",
		`<< regexReplaceAll "[0-9]+" "v12" "<${0}>" >>`:         "v<12>",
		`<< mustToYaml inputs.list | trim | replace "\n" ";">>`: "- a;- b",
		`<< values inputs.map | join "," >>`:                    "1,2",
	} {
		e := newEngine(t.Context())
		c, err := e.compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := c.execute(inputs(t, "- {ns: team, list: [a, b], map: {z: '2', x: '1'}, count: '2', enabled: true}")[0])
		if err != nil || got != want {
			t.Errorf("%s = %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestSlugify(t *testing.T) {
	for text, want := range map[string]string{
		"feature/Foo_Bar":           "feature-foo_bar",
		"  --x--  ":                 "x",
		"it's":                      "its",
		"Привет мир":                "privet-mir",
		strings.Repeat("word-", 20): strings.TrimSuffix(strings.Repeat("word-", 12), "-"),
		strings.Repeat("a", 80):     strings.Repeat("a", 63),
		"":                          "",
		"日本":                        "",
	} {
		if got := Slugify(text); got != want {
			t.Errorf("Slugify(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzBuild(f *testing.F) {
	f.Add("{apiVersion: v1, kind: ConfigMap, metadata: {name: << inputs.a >>}}")
	f.Add("<< range 3 >>---\n<< end >>")
	f.Add(`<< define "x" >><< . >><< end >><< template "x" inputs >>`)
	f.Fuzz(func(t *testing.T, text string) {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		objects, err := Build(ctx, Templates{Text: text}, []map[string]any{{"a": "b", "c": []any{"d"}}})
		again, errAgain := Build(ctx, Templates{Text: text}, []map[string]any{{"a": "b", "c": []any{"d"}}})
		if ctx.Err() != nil {
			t.Skip("too slow a machine")
		}
		if (err == nil) != (errAgain == nil) || fmt.Sprint(names(objects)) != fmt.Sprint(names(again)) {
			t.Errorf("two runs differ: %v, %v", err, errAgain)
		}
	})
}
