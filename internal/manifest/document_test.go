package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const release = `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
spec:
  values:
    defaults: &defaults
      tag: v1
      replicas: 2
    server:
      <<: *defaults
      tag: v2
    worker: *defaults
    list:
      - name: a
      - name: b
        port: 8080
    both:
      <<: [{x: 1}, {x: 2, y: 3}]
    scalars: [1, 1.5, true, yes, null, ~, "1", 0x10, 2024-01-01, .inf, 18446744073709551615, "null"]
`

func parseOne(t *testing.T, text string) *Document {
	t.Helper()
	docs, err := Parse("web.yaml", []byte(text))
	if err != nil || len(docs) != 1 {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	return docs[0]
}

func TestFieldLine(t *testing.T) {
	d := parseOne(t, release)
	for _, test := range []struct {
		path []string
		want int
	}{
		{nil, 1},
		{[]string{"spec"}, 5},
		{[]string{"spec", "values", "server"}, 10},
		{[]string{"spec", "values", "server", "tag"}, 12},
		{[]string{"spec", "values", "server", "replicas"}, 9}, // where it is merged from
		{[]string{"spec", "values", "worker", "tag"}, 8},
		{[]string{"spec", "values", "list", "1"}, 16},
		{[]string{"spec", "values", "list", "1", "port"}, 17},
		{[]string{"spec", "values", "list", "7", "port"}, 14}, // as far as it leads
		{[]string{"spec", "values", "absent", "x"}, 6},
		{[]string{"absent"}, 1},
	} {
		if got := d.FieldLine(test.path...); got != test.want {
			t.Errorf("line of %v is %d, want %d", test.path, got, test.want)
		}
	}
	if _, ok := d.Find("spec", "values", "list", "2"); ok {
		t.Error("a third item is found")
	}
}

func TestObject(t *testing.T) {
	got := parseOne(t, release).Object()["spec"].(map[string]any)["values"]
	defaults := map[string]any{"tag": "v1", "replicas": int64(2)}
	want := map[string]any{
		"defaults": defaults,
		"server":   map[string]any{"tag": "v2", "replicas": int64(2)},
		"worker":   defaults,
		"list":     []any{map[string]any{"name": "a"}, map[string]any{"name": "b", "port": int64(8080)}},
		"both":     map[string]any{"x": int64(1), "y": int64(3)},
		"scalars": []any{int64(1), 1.5, true, "yes", nil, nil, "1", int64(16), "2024-01-01", ".inf",
			float64(18446744073709551615), "null"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDecode(t *testing.T) {
	var v struct {
		Spec struct {
			Values struct {
				Server struct {
					Replicas int `json:"replicas"`
				} `json:"server"`
			} `json:"values"`
		} `json:"spec"`
	}
	if err := parseOne(t, release).Decode(&v); err != nil || v.Spec.Values.Server.Replicas != 2 {
		t.Errorf("replicas %d, %v", v.Spec.Values.Server.Replicas, err)
	}
}
