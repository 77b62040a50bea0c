package helm

import (
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// sortedByHelm decodes what Helm's own sorting makes of the files.
func sortedByHelm(t testing.TB, files map[string]string) ([]*unstructured.Unstructured, error) {
	t.Helper()
	hooks, rest, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(hooks, func(a, b *v1.Hook) int { return a.Weight - b.Weight })
	var objects []*unstructured.Unstructured
	for _, h := range hooks {
		if objects, err = decode(objects, h.Path, h.Manifest); err != nil {
			return nil, err
		}
	}
	for _, m := range rest {
		if objects, err = decode(objects, m.Name, m.Content); err != nil {
			return nil, err
		}
	}
	return objects, nil
}

const hookObject = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: j\n  annotations: {helm.sh/hook: \"pre-install, post-upgrade\", helm.sh/hook-weight: \"-5\"}\n"

func compareManifests(t testing.TB, files map[string]string) {
	t.Helper()
	want, wantErr := sortedByHelm(t, files)
	got, gotErr := manifests(nil, files, PostRender{})
	if (wantErr == nil) != (gotErr == nil) {
		t.Fatalf("error %v, Helm's %v", gotErr, wantErr)
	}
	if diff := gocmp.Diff(want, got); wantErr == nil && diff != "" {
		t.Errorf("(-Helm +ours):\n%s", diff)
	}
}

// TestManifestsAsHelm holds the order of objects to Helm's.
func TestManifestsAsHelm(t *testing.T) {
	object := func(kind, name string) string {
		return "apiVersion: v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\n"
	}
	for name, files := range map[string]map[string]string{
		"kinds": {
			"c/templates/b.yaml": object("Service", "b") + "---\n" + object("Namespace", "n") + "---\n" + object("Zebra", "z") + "---\n" + object("Ape", "a"),
			"c/templates/a.yaml": object("Service", "a") + "--- # more\n" + object("Ape", "b"),
		},
		"hooks": {
			"c/templates/a.yaml": object("Service", "a") + "---\n" + hookObject + "---\n" + strings.Replace(hookObject, "-5", "5", 1) + "---\n" + strings.Replace(hookObject, "Job", "Secret", 1),
			"c/templates/b.yaml": strings.Replace(hookObject, "pre-install", "never", 1),
		},
		"partials and nothing":   {"c/templates/_a.yaml": object("Service", "a"), "c/templates/b.yaml": " \n", "c/templates/c.yaml": "# nothing\n---\n\n---\n"},
		"text at the edges":      {"c/templates/a.yaml": object("ConfigMap", "a") + "data:\n  x: |+\n    a\n\n---\n" + object("ConfigMap", "b") + "data:\n  x: |\n    a\n---\n" + object("ConfigMap", "c") + "data:\n  x: |-\n    a\n"},
		"more dashes":            {"c/templates/a.yaml": "----\n" + object("ConfigMap", "a")},
		"one line":               {"c/templates/a.yaml": "---apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"},
		"JSON":                   {"c/templates/a.yaml": "---\n" + `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"n":1,"f":1.5,"l":[1e3,9007199254740993]}` + "\n---\n{apiVersion: v1, kind: Secret, metadata: {name: a}}\n"},
		"a list":                 {"c/templates/a.yaml": "apiVersion: v1\nkind: List\nmetadata: {name: l}\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n"},
		"no name":                {"c/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x}\n"},
		"annotations of null":    {"c/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: }\n"},
		"annotations no text":    {"c/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: {a: 1}}\n"},
		"broken":                 {"c/templates/a.yaml": "a: [\n"},
		"no object":              {"c/templates/a.yaml": "a: b\n"},
		"text":                   {"c/templates/a.yaml": "just text\n"},
		"the same name two ways": {"c/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 1}\n"},
	} {
		t.Run(name, func(t *testing.T) { compareManifests(t, files) })
	}
}

func FuzzManifests(f *testing.F) {
	f.Add("---\n"+hookObject+"--- \n{\"apiVersion\": \"v1\", \"kind\": \"X\"}\n", "a: b")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) < 1<<14 {
			compareManifests(t, map[string]string{"c/templates/a.yaml": a, "c/templates/b.yaml": b})
		}
	})
}
