package drift

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func object(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return obj
}

const live = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
  namespace: media
  annotations: {deployment.kubernetes.io/revision: "3", example.org/a.b: changed}
  managedFields:
  - {manager: kustomize-controller, operation: Apply, time: "2026-01-01T00:00:00Z", fieldsV1: {"f:spec": {"f:paused": {}, "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {".": {}, "f:name": {}}}}}}}}
  - {manager: kubectl-scale, operation: Update, subresource: scale, time: "2026-01-02T00:00:00Z", fieldsV1: {"f:spec": {"f:replicas": {}}}}
  - {manager: older, operation: Update, time: "2026-01-01T12:00:00Z", fieldsV1: {"f:spec": {"f:replicas": {}}, "f:metadata": {"f:annotations": {"f:example.org/a.b": {}}}}}
  - {manager: kubectl-edit, operation: Update, time: "2026-01-03T00:00:00Z", fieldsV1: {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {"f:image": {}}, "k:{\"name\":\"side\"}": {".": {}, "f:name": {}}}}}}}}
spec:
  paused: true
  replicas: 5
  template: {spec: {containers: [{name: side}, {name: app, image: "app:2", args: [a]}]}}
status: {replicas: 5}
`

const answered = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
  namespace: media
  annotations: {deployment.kubernetes.io/revision: "3", example.org/a.b: asked}
spec:
  paused: false
  replicas: 2
  minReadySeconds: 3
  template: {spec: {containers: [{name: app, image: "app:1", args: [a, b]}]}}
status: {replicas: 2}
`

func TestCompare(t *testing.T) {
	var got []string
	for _, f := range Compare(object(t, live), object(t, answered)) {
		line := f.Was() + " [" + strings.Join(f.Steps, "/") + "]"
		if f.Ours {
			line += " ours"
		}
		got = append(got, line)
	}
	want := []string{
		`metadata.annotations."example.org/a.b" was changed (set by older), is asked [metadata/annotations/example.org/a.b]`,
		`spec.minReadySeconds was missing, is 3 [spec/minReadySeconds] ours`,
		`spec.paused was true, is false [spec/paused] ours`,
		`spec.replicas was 5 (set by kubectl-scale), is 2 [spec/replicas]`,
		`spec.template.spec.containers[name=app].args was ["a"], is ["a","b"] [spec/template/spec/containers/0/args] ours`,
		`spec.template.spec.containers[name=app].image was app:2 (set by kubectl-edit), is app:1 [spec/template/spec/containers/0/image]`,
		`spec.template.spec.containers[name=side] was {"name":"side"} (set by kubectl-edit), is removed [spec/template/spec/containers/0]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	if f := Compare(object(t, live), object(t, live)); len(f) > 0 {
		t.Errorf("an object differs from itself: %v", f)
	}
}

func TestCompareKeepsSecrets(t *testing.T) {
	secret := func(value string) *unstructured.Unstructured {
		return object(t, "{apiVersion: v1, kind: Secret, metadata: {name: s, annotations: {kubectl.kubernetes.io/last-applied-configuration: "+value+"}}, data: {KEY: "+value+"}}")
	}
	fields := Compare(secret("aHVudGVyMg"), secret("Z2l0"))
	told := Corrected("Secret s", fields)
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Secret s corrected: data.KEY"; told != want {
		t.Errorf("told %q, want %q", told, want)
	}
	if strings.Contains(string(data), "aHVudGVyMg") || strings.Contains(string(data), "Z2l0") {
		t.Errorf("values of a Secret are handed out: %s", data)
	}
}

func TestCorrectedIsBounded(t *testing.T) {
	f := Field{Path: "data.x", Live: strings.Repeat("ü", 4000), Asked: "", Manager: "hand", Time: time.Now()}
	told := Corrected("ConfigMap a/b", make([]Field, 40))
	if !strings.HasSuffix(told, "and 28 more fields") {
		t.Errorf("told %q", told)
	}
	if told := f.Was(); len(told) > 300 || !strings.Contains(told, "…") || !strings.HasSuffix(told, `is ""`) {
		t.Errorf("told %d bytes: %q", len(told), told)
	}
}

func TestRepositoryOf(t *testing.T) {
	for _, url := range []string{
		"https://github.com/owner/home", "https://token@github.com/Owner/home.git", "ssh://git@github.com/owner/home.git",
		"git@github.com:owner/home.git", "https://github.com/owner/home/",
	} {
		if got := repositoryOf(url); got != "github.com/owner/home" {
			t.Errorf("%s is the repository %q", url, got)
		}
	}
}

func TestParseName(t *testing.T) {
	if n, err := ParseName("deploy/app"); err != nil || n != (Name{"deploy", "app"}) {
		t.Errorf("got %v, %v", n, err)
	}
	for _, text := range []string{"app", "/app", "deploy/", "a/b/c", ""} {
		if n, err := ParseName(text); err == nil {
			t.Errorf("%q is taken for %v", text, n)
		}
	}
}

// FuzzCompare feeds managed fields as any server may send them.
func FuzzCompare(f *testing.F) {
	f.Add(`{"f:data":{"f:a":{}}}`, `{"a":"1"}`)
	f.Add(`{"f:data":{"k:{\"name\":1}":{}}}`, `[{"name":1},{"name":2}]`)
	f.Add(`{"f:data":{"v:1":{}}}`, `[1,2,1]`)
	f.Fuzz(func(t *testing.T, managed, value string) {
		var data any
		if json.Unmarshal([]byte(value), &data) != nil || !json.Valid([]byte(managed)) {
			t.Skip()
		}
		a := object(t, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`)
		a.Object["data"] = data
		if err := unstructured.SetNestedSlice(a.Object, []any{map[string]any{"manager": "m", "operation": "Update"}}, "metadata", "managedFields"); err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if json.Unmarshal([]byte(managed), &fields) != nil {
			t.Skip()
		}
		a.Object["metadata"].(map[string]any)["managedFields"].([]any)[0].(map[string]any)["fieldsV1"] = fields
		b := object(t, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`)
		for _, field := range Compare(a, b) {
			if field.Path == "" || len(field.Steps) == 0 {
				t.Errorf("a field without a path: %+v", field)
			}
		}
		if same := Compare(a, a); len(same) > 0 {
			t.Errorf("an object differs from itself: %+v", same)
		}
	})
}
