package kustomize

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/manifest"
)

// parsedBelow reads files as a repository does.
func parsedBelow(root string) func(string) ([]*manifest.Document, bool) {
	return func(file string) ([]*manifest.Document, bool) {
		data, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return nil, false
		}
		docs, err := manifest.Parse(file, data)
		whole := err == nil && len(docs) > 0 && manifest.DividedByLines(data)
		for _, doc := range docs {
			whole = whole && (doc.Kind() != "" || isKustomizationFile(file))
		}
		return docs, whole
	}
}

// comparePlain builds a folder with and without kustomize, and returns whether
// the plain way was taken.
func comparePlain(t testing.TB, root, path string, k *unstructured.Unstructured, variables map[string]string) bool {
	t.Helper()
	request := Request{Root: root, Path: path, Kustomization: k, Variables: variables, Offline: true, Unknown: strings.ToLower}
	want, wantErr := Build(t.Context(), request)
	request.Parsed = parsedBelow(root)
	got, gotErr := Build(t.Context(), request)
	if fmt.Sprint(wantErr) != fmt.Sprint(gotErr) {
		t.Fatalf("%s: error %v, want %v", path, gotErr, wantErr)
	}
	if wantErr != nil {
		return false
	}
	want.Digest = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-kustomize +plain):\n%s", path, diff)
	}
	b := &build{request: request, root: root, rel: filepath.ToSlash(path)}
	_, plain := b.plain(t.Context())
	return plain
}

// TestPlain names what is built the plain way, and what is left to kustomize.
func TestPlain(t *testing.T) {
	const (
		list     = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
		piece    = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
		release  = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: app\nspec:\n  values: {a: [1, 2.5, yes, 0o7, 0777, 1e3, x], b: \"${A} é\"}\n"
		settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata:\n  text: |\n    some\n      lines\n"
		ns       = "apiVersion: v1\nkind: Namespace\nmetadata: {name: home}\n"
	)
	for name, test := range map[string]struct {
		files map[string]string
		spec  string
		plain bool
	}{
		"a file":            {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "a.yaml": release}, plain: true},
		"a target":          {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "a.yaml": release}, spec: "targetNamespace: home", plain: true},
		"neither is said":   {files: map[string]string{"kustomization.yaml": "resources: [./a.yaml]\n", "a.yaml": release}, plain: true},
		"in order":          {files: map[string]string{"kustomization.yaml": list + "namespace: home\nresources: [a.yaml, b.yaml, c.yaml]\n", "a.yaml": release, "b.yaml": settings, "c.yaml": ns}, plain: true},
		"several documents": {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "a.yaml": "---\n" + release + "--- # more\n---\n" + settings}, plain: true},
		"a folder":          {files: map[string]string{"kustomization.yaml": list + "namespace: outer\nresources: [sub]\n", "sub/kustomization.yaml": list + "namespace: inner\nresources: [a.yaml]\n", "sub/a.yaml": release}, plain: true},
		"a component":       {files: map[string]string{"kustomization.yaml": list + "namespace: home\nresources: [a.yaml]\ncomponents: [../c]\n", "../c/kustomization.yaml": piece + "resources: [b.yaml]\n", "../c/b.yaml": settings, "a.yaml": release}, plain: true},
		"common metadata":   {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "a.yaml": release}, spec: "commonMetadata: {labels: {a: b}}", plain: true},
		"a patch of others": {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "a.yaml": release}, spec: "patches: [{target: {kind: Deployment}, patch: 'apiVersion: example.org/v1\nkind: Any\nmetadata: {name: any}\nspec: {}'}]", plain: true},
		"variables":         {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml, b.yaml]\n", "a.yaml": release, "b.yaml": strings.Replace(settings, "some", "$${A} ${B:=c} ${NONE}", 1)}, spec: "postBuild: {substitute: {B: b}}", plain: true},
		"an anchor":         {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "a.yaml": strings.Replace(release, "name: app", "name: &a app\n  labels: {app: *a}", 1)}, plain: true},

		"a matching patch":      {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "a.yaml": release}, spec: "patches: [{target: {kind: HelmRelease}, patch: 'apiVersion: v1\nkind: Any\nmetadata: {name: any}\nspec: {x: y}'}]"},
		"a broken patch":        {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "a.yaml": release}, spec: "patches: [{target: {kind: Deployment}, patch: 'x'}]"},
		"a reference":           {files: map[string]string{"kustomization.yaml": list + "namespace: home\nresources: [a.yaml]\n", "a.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {serviceAccountName: default}}}\n"}},
		"a generator":           {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\nconfigMapGenerator: [{name: x, literals: [a=b]}]\n", "a.yaml": release}},
		"a field unknown":       {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\nresource: []\n", "a.yaml": release}},
		"no kustomization":      {files: map[string]string{"a.yaml": release}},
		"two kustomizations":    {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "kustomization.yml": list + "resources: [a.yaml]\n", "a.yaml": release}},
		"missing":               {files: map[string]string{"kustomization.yaml": list + "resources: [b.yaml]\n"}},
		"twice":                 {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml, b.yaml]\n", "a.yaml": release, "b.yaml": release}},
		"a circle":              {files: map[string]string{"kustomization.yaml": list + "resources: [sub]\n", "sub/kustomization.yaml": list + "resources: [..]\n"}},
		"outside":               {files: map[string]string{"kustomization.yaml": list + "resources: [../../../../etc/passwd]\n"}},
		"a wrong component":     {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\ncomponents: [sub]\n", "a.yaml": release, "sub/kustomization.yaml": list + "resources: [b.yaml]\n", "sub/b.yaml": settings}},
		"a renamed namespace":   {files: map[string]string{"kustomization.yaml": list + "namespace: other\nresources: [a.yaml]\n", "a.yaml": ns}},
		"null":                  {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "a.yaml": release + "  none:\n"}},
		"a merge key":           {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "a.yaml": release + "  x: &x {a: b}\n  y: {<<: *x}\n"}},
		"a list":                {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "a.yaml": "apiVersion: v1\nkind: List\nmetadata: {name: x}\nitems: []\n"}},
		"local configuration":   {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "a.yaml": strings.Replace(release, "name: app", "name: app\n  annotations: {config.kubernetes.io/local-config: 'true'}", 1)}},
		"an annotation no text": {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "a.yaml": strings.Replace(release, "name: app", "name: app\n  annotations: {a: true}", 1)}},
		"a broken variable":     {files: map[string]string{"kustomization.yaml": list + "resources: [a.yaml]\n", "a.yaml": strings.Replace(release, "${A}", "${A", 1)}, spec: "postBuild: {substitute: {A: a}}"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			files := map[string]string{}
			for file, text := range test.files {
				files[filepath.Join("apps/app", file)] = text
			}
			put(t, root, files)
			k := kustomization(t, []byte("spec: {prune: true}\n"))
			if test.spec != "" {
				k = kustomization(t, []byte("spec:\n  "+strings.ReplaceAll(test.spec, "\n", "\n\n    ")+"\n"))
			}
			if got := comparePlain(t, root, "apps/app", k, map[string]string{"A": "one"}); got != test.plain {
				t.Errorf("the plain way: %v, want %v", got, test.plain)
			}
		})
	}
}

// TestPlainAtRandom makes kustomizations of pieces that are hard to read, and
// holds the plain way to kustomize.
func TestPlainAtRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	taken := 0
	const trees = 150
	for range trees {
		root := t.TempDir()
		files := map[string]string{}
		var names []string
		for i := range 1 + random.IntN(4) {
			name := fmt.Sprintf("%s.yaml", pick("a", "b", "c", "sub/d"))
			names = append(names, name)
			files["app/"+name] += "---\n" + randomObject(pick, i)
		}
		files["app/kustomization.yaml"] = "resources: [" + strings.Join(names, ", ") + "]\n" + pick("", "", "namespace: home\n", "namespace: other\n")
		if random.IntN(3) == 0 {
			files["app/kustomization.yaml"] = "resources: [more, " + strings.Join(names, ", ") + "]\n"
			files["app/more/kustomization.yaml"] = "resources: [x.yaml]\n" + pick("", "namespace: inner\n")
			files["app/more/x.yaml"] = randomObject(pick, 9)
		}
		put(t, root, files)
		k := kustomization(t, []byte("spec: {"+pick("", "", "targetNamespace: home, ")+pick("prune: true", "postBuild: {substitute: {ONE: one, NUMBER: '7', URL: 'https://x.y/z', ODD: 'a: b'}}")+"}\n"))
		if comparePlain(t, root, "app", k, nil) {
			taken++
		}
	}
	if taken < trees/10 {
		t.Errorf("the plain way was taken for %d of %d trees only", taken, trees)
	}
}

// randomObject returns the text of an object.
func randomObject(pick func(...string) string, i int) string {
	head := pick("apiVersion: v1\nkind: ConfigMap", "apiVersion: v1\nkind: Secret", "apiVersion: v1\nkind: Namespace", "apiVersion: example.org/v1\nkind: Thing",
		"apiVersion: example.org/v1\nkind: Another", "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease", "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute",
		"apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass", "apiVersion: a.example.org/v1\nkind: Thing")
	text := head + fmt.Sprintf("\nmetadata:\n  name: %s-%d\n", pick("home", "x", "y"), i)
	text += pick("", "", "  namespace: kept\n", "  annotations: {a: b}\n", "  labels:\n    # why\n    a: b # here\n", "  annotations: {a: '1'}\n  labels: {b: \"true\"}\n")
	text += "spec:\n"
	for j := range 4 {
		text += fmt.Sprintf("  f%d: %s\n", j, pick(
			"text", "'quoted'", `"with \t tab"`, `"é \u00e9"`, "1", "-3", "0", "01", "0777", "0x1F", "0o14", "1_000", "1.0", "2.50", "1e3", ".5", "true", "True", "yes", "on", "No",
			"12:30", "2024-01-01", "=", "-x", "a#b", "a: &x b", "[a, 1, [b]]", "{a: b, c: {d: 1}}", "[]", "{}", "''", "|\n    line\n      more\n    end", "|-\n    one", "|+\n    keep\n\n",
			">\n    folded\n    text", "99999999999999999999", "1h", "~", "nothing: here", "'it''s'", `"a\nb"`, "a  b", "https://example.org:80/x?y=z", "plain over\n    two lines", "<none>", "@x", "'@x'",
			"${ONE}", "x-${ONE}.y", "${NUMBER}", "'${NUMBER}'", "${URL}", "${ODD}", "'{{ .x }}.${ONE}'", "$x", "$${ONE}", "${NONE}", "${NONE:=d}", "!!str 5", "a very long text that goes on and on and on and on, ${ONE}, and on and on and on and does not stop",
		))
	}
	return text
}

// FuzzPlain holds the plain way to kustomize, whatever stands in the files.
func FuzzPlain(f *testing.F) {
	f.Add("resources: [a.yaml]\n", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n", "one")
	f.Add("namespace: x\nresources:\n- a.yaml\n", "apiVersion: e.x/v1\nkind: T\nmetadata:\n  name: &n a\nspec: {a: *n, b: ${A}}\n---\napiVersion: e.x/v1\nkind: T\nmetadata:\n  name: b\nspec: |\n  x\n", "a/b")
	f.Add("resources: [a.yaml]\ncomponents: []\n", "apiVersion: e.x/v1\nkind: T\nmetadata:\n  name: b\nspec: [1.0, yes, '${A}', 0o7, >-\n x\n]\n", "7")
	f.Fuzz(func(t *testing.T, list, objects, value string) {
		if len(list)+len(objects) > 1<<16 {
			return
		}
		root := t.TempDir()
		put(t, root, map[string]string{"app/kustomization.yaml": list, "app/a.yaml": objects})
		k := kustomization(t, []byte("spec: {postBuild: {}}\n"))
		comparePlain(t, root, "app", k, map[string]string{"A": value})
	})
}
