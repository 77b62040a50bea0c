package helmsource

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

func demo() *chart.Chart {
	file := func(name, content string) *common.File { return &common.File{Name: name, Data: []byte(content)} }
	return &chart.Chart{
		Metadata: &chart.Metadata{APIVersion: "v2", Name: "demo", Version: "1.0.0"},
		Values:   map[string]any{"a": "default"},
		Raw:      []*common.File{file("values.yaml", "a: default\n"), file("values-prod.yaml", "a: prod\nb: {c: prod}\n"), file("values-eu.yaml", "b: {d: eu}\n"), file("odd.yaml", "- 1\n")},
	}
}

func TestValuesFiles(t *testing.T) {
	for _, test := range []struct {
		name          string
		files         []string
		ignoreMissing bool
		want          map[string]any
		says          string
	}{
		{"none", nil, false, map[string]any{"a": "default"}, ""},
		{"one", []string{"values-prod.yaml"}, false, map[string]any{"a": "prod", "b": map[string]any{"c": "prod"}}, ""},
		{"the last wins", []string{"values.yaml", "./values-prod.yaml", "values-eu.yaml"}, false, map[string]any{"a": "prod", "b": map[string]any{"c": "prod", "d": "eu"}}, ""},
		{"missing", []string{"nope.yaml"}, false, nil, "no values file found at path 'nope.yaml'"},
		{"missing, but ignored", []string{"nope.yaml", "values-eu.yaml"}, true, map[string]any{"b": map[string]any{"d": "eu"}}, ""},
		{"no mapping", []string{"odd.yaml"}, false, nil, "odd.yaml"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := demo()
			_, err := mergeValues(c, chartFiles(c), test.files, test.ignoreMissing)
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			file, remove, err := packed(c)
			if err != nil {
				t.Fatal(err)
			}
			defer remove()
			again, err := loader.LoadArchive(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, again.Values); diff != "" {
				t.Errorf("packed values (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMarked(t *testing.T) {
	for _, test := range []struct{ version, mark, want string }{
		{"1.2.3", "", "1.2.3"},
		{"1.2.3", "0123456789ab", "1.2.3+0123456789ab"},
		{"1.2.3+build", "0123456789ab.7", "1.2.3+0123456789ab.7"},
		{"1.2.3", "not/valid", ""},
		{"x", "1", ""},
	} {
		got, err := marked(test.version, test.mark)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s marked %s: %q, %v", test.version, test.mark, got, err)
		}
	}
}
