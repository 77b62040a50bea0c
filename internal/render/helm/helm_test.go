package helm

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/google/go-cmp/cmp"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// writeChart writes a chart's files to a folder.
func writeChart(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if files["Chart.yaml"] == "" {
		files["Chart.yaml"] = "apiVersion: v2\nname: demo\nversion: 1.0.0\n"
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func loadChart(t testing.TB, files map[string]string) *Chart {
	t.Helper()
	c, err := new(Charts).Load(t.Context(), writeChart(t, files), "sha256:test")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRender(t *testing.T) {
	c := loadChart(t, map[string]string{
		"values.yaml":           "port: 80\nlist: []\n",
		"crds/widget.yaml":      "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\n",
		"templates/NOTES.txt":   "thank you",
		"templates/_lib.tpl":    `{{ define "name" }}{{ .Release.Name }}-{{ .Chart.Version }}{{ end }}`,
		"templates/service.yml": "apiVersion: v1\nkind: Service\nmetadata: {name: {{ include \"name\" . }}, namespace: {{ .Release.Namespace }}}\nspec: {ports: [{port: {{ .Values.port }}}]}\n",
		"templates/list.yaml":   "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n- {apiVersion: v1, kind: Namespace, metadata: {name: b}}\n",
		"templates/hook.yaml":   "apiVersion: batch/v1\nkind: Job\nmetadata: {name: hook, annotations: {helm.sh/hook: pre-install}}\n",
		"templates/nothing.yml": "{{ if false }}x{{ end }}",
		"templates/lookup.yaml": "{{ if lookup \"v1\" \"Namespace\" \"\" \"default\" }}x{{ end }}",
	})
	objects, err := Render(t.Context(), Request{Chart: c, Name: "r", Namespace: "ns", Version: "9.9.9", Values: Values{Map: map[string]any{"port": 8080}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range objects {
		got = append(got, o.GetKind()+"/"+o.GetNamespace()+"/"+o.GetName())
	}
	want := []string{"CustomResourceDefinition//widgets.example.com", "Job//hook", "Service/ns/r-9.9.9", "Namespace//a", "Namespace//b"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	ports := objects[2].Object["spec"].(map[string]any)["ports"].([]any)
	if port := ports[0].(map[string]any)["port"]; port != int64(8080) {
		t.Errorf("port is %v (%T)", port, port)
	}
}

func TestRenderFails(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		says  string
	}{
		{"required", map[string]string{"templates/a.yaml": `{{ required "a host is needed" .Values.host }}`}, "a host is needed"},
		{"no template", map[string]string{"templates/a.yaml": `{{ if }}`}, "templates/a.yaml"},
		{"no YAML", map[string]string{"templates/a.yaml": "a: [1"}, "templates/a.yaml"},
		{"no kind", map[string]string{"templates/a.yaml": "a: 1"}, "a.yaml"},
		{"schema", map[string]string{"values.schema.json": `{"properties":{"port":{"type":"integer"}}}`, "values.yaml": "port: x\n"}, "/port"},
		{"Kubernetes too old", map[string]string{"Chart.yaml": "apiVersion: v2\nname: demo\nversion: 1.0.0\nkubeVersion: '>=99'\n"}, "requires Kubernetes >=99"},
		{"a list without end", map[string]string{"templates/a.yaml": "{{ range until 99999999999 }}x{{ end }}"}, "more than a template may make"},
		{"a text without end", map[string]string{"templates/a.yaml": `{{ repeat 99999999999 "x" }}`}, "more than a template may make"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Render(t.Context(), Request{Chart: loadChart(t, test.files), Name: "r", Namespace: "ns"})
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want an error that says %q", err, test.says)
			}
		})
	}
}

func TestRenderHasNoEnvironmentNorNetwork(t *testing.T) {
	t.Setenv("HEARTH_TEST_SECRET", "seen")
	c := loadChart(t, map[string]string{"templates/a.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {host: {{ getHostByName "localhost" | quote }}}
`})
	objects, err := Render(t.Context(), Request{Chart: c, Name: "r", Namespace: "ns"})
	if err != nil {
		t.Fatal(err)
	}
	if host := objects[0].Object["data"].(map[string]any)["host"]; host != "" {
		t.Errorf("a template resolved a name to %v", host)
	}
	for _, function := range []string{"env", "expandenv"} {
		c := loadChart(t, map[string]string{"templates/a.yaml": `{{ ` + function + ` "HEARTH_TEST_SECRET" }}`})
		if _, err := Render(t.Context(), Request{Chart: c, Name: "r", Namespace: "ns"}); err == nil {
			t.Errorf("a template may call %s", function)
		}
	}
}

func TestChartIsShared(t *testing.T) {
	dir := writeChart(t, map[string]string{
		"Chart.yaml":                   "apiVersion: v2\nname: demo\nversion: 1.0.0\ndependencies: [{name: sub, version: 1.0.0, condition: sub.enabled}]\n",
		"charts/sub/Chart.yaml":        "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
		"charts/sub/templates/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sub}\n",
	})
	var charts Charts
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			c, err := charts.Load(t.Context(), dir, "sha256:one")
			if err != nil {
				t.Error(err)
				return
			}
			enabled := i%2 == 0
			objects, err := Render(t.Context(), Request{Chart: c, Name: "r", Namespace: "ns", Values: Values{Map: map[string]any{"sub": map[string]any{"enabled": enabled}}}})
			if err != nil {
				t.Error(err)
			}
			if len(objects) == 1 != enabled {
				t.Errorf("sub.enabled=%t makes %d objects", enabled, len(objects))
			}
		})
	}
	wg.Wait()
	a, err := charts.Load(t.Context(), dir, "sha256:one")
	if err != nil {
		t.Fatal(err)
	}
	b, err := charts.Load(t.Context(), "/nowhere", "sha256:one")
	if err != nil || a != b {
		t.Errorf("a chart of the same digest was loaded again: %v", err)
	}
}

func TestUnpackedArchiveIsLoaded(t *testing.T) {
	dir := t.TempDir()
	chart := filepath.Join(dir, "web", "templates")
	if err := os.MkdirAll(chart, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "web", "Chart.yaml"), []byte("apiVersion: v2\nname: web\nversion: 1.2.3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var charts Charts
	loaded, err := charts.Load(t.Context(), dir, "sha256:unpacked")
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Name() != "web" || loaded.Version() != "1.2.3" {
		t.Errorf("loaded %s %s", loaded.Name(), loaded.Version())
	}
	if _, err := charts.Load(t.Context(), t.TempDir(), "sha256:empty"); err == nil {
		t.Error("an empty folder was loaded as a chart")
	}
}

func TestStoredChart(t *testing.T) {
	c := loadChart(t, map[string]string{"templates/a.yaml": "a: 1", "values.yaml": "x: 1\n"})
	member, err := c.Stored("1.0.0+abc")
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(member))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	var stored chart.Chart
	if err := json.Unmarshal(content, &stored); err != nil {
		t.Fatal(err)
	}
	if stored.Metadata.Version != "1.0.0+abc" || len(stored.Templates) != 1 || c.Version() != "1.0.0" {
		t.Errorf("stored %+v", stored.Metadata)
	}
}

// data is what ConfigMaps and Secrets hold, by kind and name.
type data map[string]map[string]string

func (d data) read(_ context.Context, kind, name string) (map[string][]byte, error) {
	found, ok := d[kind+"/"+name]
	if !ok {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: kind}, name)
	}
	content := map[string][]byte{}
	for key, value := range found {
		content[key] = []byte(value)
	}
	return content, nil
}

func TestCompose(t *testing.T) {
	d := data{
		"ConfigMap/base":  {"values.yaml": "a: 1\nb: {c: base, d: base}\nlist: [1, 2]\n", "flat": "flat", "number": "8080", "quoted": "'8080'", "json": `a,b={c}`},
		"Secret/override": {"values.yaml": "b: {c: secret}\n", "password": "correct-horse"},
		"ConfigMap/odd":   {"values.yaml": "- no\n- mapping\n"},
		"Secret/odd":      {"values.yaml": "correct-horse: [battery"},
	}
	ref := func(kind, name string) meta.ValuesReference { return meta.ValuesReference{Kind: kind, Name: name} }
	at := func(r meta.ValuesReference, key, path string) meta.ValuesReference {
		r.ValuesKey, r.TargetPath = key, path
		return r
	}
	literal := at(ref("ConfigMap", "base"), "json", "x")
	literal.Literal = true
	optional := ref("Secret", "none")
	optional.Optional = true
	for _, test := range []struct {
		name   string
		values map[string]any
		refs   []meta.ValuesReference
		want   string
		says   string
	}{
		{"none", nil, nil, `{}`, ""},
		{"own", map[string]any{"a": 1}, nil, `{"a":1}`, ""},
		{"in their order, own last", map[string]any{"b": map[string]any{"d": "own"}},
			[]meta.ValuesReference{ref("ConfigMap", "base"), ref("Secret", "override")},
			`{"a":1,"b":{"c":"secret","d":"own"},"list":[1,2]}`, ""},
		{"a list replaces a list", map[string]any{"list": []any{3}}, []meta.ValuesReference{ref("ConfigMap", "base")},
			`{"a":1,"b":{"c":"base","d":"base"},"list":[3]}`, ""},
		{"at a path", nil, []meta.ValuesReference{at(ref("Secret", "override"), "password", "db.password")}, `{"db":{"password":"correct-horse"}}`, ""},
		{"a number", nil, []meta.ValuesReference{at(ref("ConfigMap", "base"), "number", "ports[0].port")}, `{"ports":[{"port":8080}]}`, ""},
		{"a quoted number", nil, []meta.ValuesReference{at(ref("ConfigMap", "base"), "quoted", "port")}, `{"port":"8080"}`, ""},
		{"literally", nil, []meta.ValuesReference{literal}, `{"x":"a,b={c}"}`, ""},
		{"optional", nil, []meta.ValuesReference{optional}, `{}`, ""},
		{"missing", nil, []meta.ValuesReference{ref("Secret", "none")}, "", "could not find Secret 'none'"},
		{"missing key", nil, []meta.ValuesReference{at(ref("Secret", "override"), "nope", "")}, "", "missing key 'nope' in Secret 'override'"},
		{"no mapping", nil, []meta.ValuesReference{ref("ConfigMap", "odd")}, "", "'values.yaml' in ConfigMap 'odd'"},
		{"no mapping in a secret", nil, []meta.ValuesReference{ref("Secret", "odd")}, "", "'values.yaml' in Secret 'odd'"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Compose(t.Context(), test.values, test.refs, d.read)
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "correct-horse") {
					t.Errorf("got %v, want an error that says %q and no secret", err, test.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			content, err := json.Marshal(got.Map)
			if err != nil || string(content) != test.want {
				t.Errorf("got %s, want %s (%v)", content, test.want, err)
			}
		})
	}
}

func TestDigestOfStoredValues(t *testing.T) {
	values := map[string]any{"b": int64(5), "a": map[string]any{"x": []any{true, nil, "y"}, "n": json.Number("8080")}}
	before, err := DigestValues(values)
	if err != nil {
		t.Fatal(err)
	}
	content, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	var stored map[string]any
	if err := json.Unmarshal(content, &stored); err != nil {
		t.Fatal(err)
	}
	if after, err := DigestValues(stored); err != nil || after != before {
		t.Errorf("values that were stored digest to %s, not %s (%v)", after, before, err)
	}
	none, _ := DigestValues(nil)
	if empty, _ := DigestValues(map[string]any{}); empty != none || empty == before {
		t.Errorf("no values digest to %s and %s", none, empty)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	var s Secrets
	s.addLeaves(map[string]any{"a": "hunter2!", "b": []any{"line one\nline two"}, "short": "abc", "flag": true, "number": json.Number("123456")})
	for _, text := range []string{
		`invalid value "hunter2!" at line one`,
		"line two is wrong, and aHVudGVyMiE= as well",
		"port 123456",
	} {
		got := s.Hide(text)
		for _, secret := range []string{"hunter2", "line one", "line two", "aHVudGVyMiE", "123456"} {
			if strings.Contains(got, secret) {
				t.Errorf("%q still shows in %q", secret, got)
			}
		}
	}
	if got := s.Hide("abc true"); got != "abc true" {
		t.Errorf("what is no secret was hidden: %q", got)
	}
	cause := errors.New("it is hunter2!")
	if err := s.HideError(cause); err.Error() != "it is *****" || !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

func TestValuesPath(t *testing.T) {
	for message, want := range map[string]string{
		"values don't meet the specifications of the schema(s) in the following chart(s):\ndemo:\n- at '/controllers/main': got string":               "controllers.main",
		"execution error at (demo/templates/a.yaml:1:3): a host is needed":                                                                            "",
		`template: demo/templates/a.yaml:1:12: executing "demo/templates/a.yaml" at <.Values.ingress.host>: nil pointer evaluating interface {}.host`: "ingress.host",
	} {
		if got := ValuesPath(errors.New(message)); got != want {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
	}
}

func FuzzCompose(f *testing.F) {
	f.Add("a: 1", "b.c", "x", false)
	f.Add("- a", "l[0].x", "{a,b}", true)
	f.Fuzz(func(t *testing.T, content, path, value string, literal bool) {
		if len(path) > 250 {
			return
		}
		d := data{"Secret/s": {"values.yaml": content, "value": value}}
		refs := []meta.ValuesReference{{Kind: "Secret", Name: "s"}, {Kind: "Secret", Name: "s", ValuesKey: "value", TargetPath: path, Literal: literal}}
		_, err := Compose(t.Context(), nil, refs, d.read)
		if err != nil && len(value) > 30 && strings.Contains(err.Error(), value) {
			t.Errorf("the value shows in %q", err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add("apiVersion: v1\nkind: Service\n---\nkind: List\napiVersion: v1\nitems: [{kind: A, apiVersion: b}]\n")
	f.Fuzz(func(t *testing.T, content string) {
		objects, err := decode(nil, "fuzz.yaml", content)
		for _, o := range objects {
			if err == nil && o.GetKind() == "" {
				t.Error("an object without a kind")
			}
		}
	})
}
