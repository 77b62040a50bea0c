package kustomize

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"hearth/internal/render"
)

var update = flag.Bool("update", false, "write what was built into the golden files")

// extract writes the files below root/ to disk and returns the others.
func extract(t testing.TB, archive *txtar.Archive) (root string, files map[string][]byte) {
	t.Helper()
	root, files = t.TempDir(), map[string][]byte{}
	for _, file := range archive.Files {
		name, below := strings.CutPrefix(file.Name, "root/")
		if !below {
			files[file.Name] = file.Data
			continue
		}
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, 0o444); err != nil {
			t.Fatal(err)
		}
	}
	return root, files
}

func kustomization(t testing.TB, spec []byte) *unstructured.Unstructured {
	t.Helper()
	k := &unstructured.Unstructured{Object: map[string]any{}}
	if err := yaml.Unmarshal(spec, &k.Object); err != nil {
		t.Fatal(err)
	}
	k.SetAPIVersion("kustomize.toolkit.fluxcd.io/v1")
	k.SetKind("Kustomization")
	k.SetName("test")
	k.SetNamespace("flux-system")
	return k
}

func TestBuild(t *testing.T) {
	goldens, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(goldens) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, golden := range goldens {
		t.Run(strings.TrimSuffix(filepath.Base(golden), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			root, files := extract(t, archive)
			vars := map[string]string{}
			if err := yaml.Unmarshal(files["vars.yaml"], &vars); err != nil {
				t.Fatal(err)
			}
			path := "./apps"
			if _, err := os.Stat(filepath.Join(root, "apps/app")); err == nil {
				path = "./apps/app"
			}
			before := listing(t, root)
			result, err := Build(t.Context(), Request{Root: root, Path: path, Kustomization: kustomization(t, files["spec.yaml"]), Variables: vars})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, listing(t, root)); diff != "" {
				t.Errorf("the artifact was changed:\n%s", diff)
			}
			places, objects := print(t, result)
			if *update {
				for i := range archive.Files {
					switch archive.Files[i].Name {
					case "want":
						archive.Files[i].Data = []byte(places)
					case "objects.yaml":
						archive.Files[i].Data = []byte(objects)
					}
				}
				if err := os.WriteFile(golden, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(files["want"]), places); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(string(files["objects.yaml"]), objects); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
		})
	}
}

func print(t testing.TB, result *Result) (places, objects string) {
	t.Helper()
	var docs []string
	for i, obj := range result.Objects {
		places += fmt.Sprintf("%s %s %s/%s\n", result.Origins[i].Place(render.KeyOf(obj)), obj.GetKind(), obj.GetNamespace(), obj.GetName())
		data, err := yaml.Marshal(obj)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, string(data))
	}
	return places, strings.Join(docs, "---\n")
}

func listing(t testing.TB, root string) []string {
	t.Helper()
	var names []string
	if err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return names
}

func TestBuildErrors(t *testing.T) {
	const valid = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\n"
	for name, test := range map[string]struct {
		files   string
		spec    string
		offline bool
		strict  bool
		want    string
		place   string
	}{
		"a broken file": {
			files: "-- root/apps/kustomization.yaml --\nresources: [a.yaml]\n-- root/apps/a.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n b: c\n",
			want:  "not valid YAML", place: "apps/a.yaml:5",
		},
		"a broken file without a kustomization": {
			files: "-- root/apps/a.yaml --\nkind: [\n", want: "not valid YAML", place: "apps/a.yaml",
		},
		"a broken kustomization": {
			files: "-- root/apps/kustomization.yaml --\nresources: [\n", want: "not valid YAML", place: "apps/kustomization.yaml",
		},
		"a missing resource": {
			files: "-- root/apps/kustomization.yaml --\nresources:\n  - a.yaml\n  - missing.yaml\n-- root/apps/a.yaml --\n" + valid,
			want:  "there is no missing.yaml", place: "apps/kustomization.yaml:3",
		},
		"a missing folder below": {
			files: "-- root/apps/kustomization.yaml --\nresources: [sub]\n-- root/apps/sub/kustomization.yaml --\nresources:\n- ../gone\n",
			want:  "there is no ../gone", place: "apps/sub/kustomization.yaml:2",
		},
		"a missing patch file": {
			files: "-- root/apps/kustomization.yaml --\nresources: [a.yaml]\npatches:\n- path: p.yaml\n-- root/apps/a.yaml --\n" + valid,
			want:  "there is no p.yaml", place: "apps/kustomization.yaml:3",
		},
		"a picture that sources leave out": {
			files: "-- root/apps/kustomization.yaml --\nconfigMapGenerator:\n- name: icons\n  files:\n  - a.yaml\n  - icon.png=./icons/a.png\n-- root/apps/a.yaml --\n" + valid,
			want:  "there is no ./icons/a.png, which Flux leaves out", place: "apps/kustomization.yaml:5",
		},
		"a patch that fits nothing": {
			files: "-- root/apps/kustomization.yaml --\nresources: [a.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: |\n    - op: remove\n      path: /data/none\n-- root/apps/a.yaml --\n" + valid,
			want:  "kustomize build failed",
		},
		"a file outside the artifact": {
			files: "-- root/apps/kustomization.yaml --\nresources: [../../../../../../etc/passwd]\n", want: "kustomize build failed", place: "apps/kustomization.yaml:1",
		},
		"a variable that is missing": {
			files:  "-- root/apps/a.yaml --\n" + valid + "data: {x: '${MISSING}'}\n",
			spec:   "spec: {postBuild: {substitute: {OTHER: x}}}",
			strict: true, want: "post build failed for 'ConfigMap.v1.[noGrp]/a'", place: "apps/a.yaml:4",
		},
		"a variable's name": {
			files: "-- root/apps/a.yaml --\n" + valid, spec: "spec: {postBuild: {substitute: {1bad: x}}}", want: "'1bad' var name is invalid",
		},
		"a remote resource offline": {
			files:   "-- root/apps/kustomization.yaml --\nresources: [base]\n-- root/apps/base/kustomization.yaml --\nresources:\n  - https://example.org/crds.yaml\n",
			offline: true, want: "https://example.org/crds.yaml must be fetched", place: "apps/base/kustomization.yaml:2",
		},
		"a path that is not there": {files: "-- root/other/a.yaml --\n" + valid, want: `the source has no folder "./apps"`},
	} {
		t.Run(name, func(t *testing.T) {
			root, _ := extract(t, txtar.Parse([]byte(test.files)))
			_, err := Build(t.Context(), Request{Root: root, Path: "./apps", Kustomization: kustomization(t, []byte(test.spec)), Offline: test.offline, Strict: test.strict})
			if err == nil {
				t.Fatal("it was built")
			}
			if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.place) {
				t.Errorf("got  %v\nwant %q at %q", err, test.want, test.place)
			}
			if strings.Contains(err.Error(), root) {
				t.Errorf("the error names a temporary folder: %v", err)
			}
			var placed *Error
			if test.place != "" && (!errors.As(err, &placed) || !strings.HasPrefix(placed.Place.String(), test.place)) {
				t.Errorf("the error's place is not %s: %+v", test.place, placed)
			}
		})
	}
}

func TestPathStaysInTheArtifact(t *testing.T) {
	root, _ := extract(t, txtar.Parse([]byte("-- root/a.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")))
	result, err := Build(t.Context(), Request{Root: root, Path: "../../..", Kustomization: kustomization(t, nil)})
	if err != nil || len(result.Objects) != 1 {
		t.Errorf("the path was not taken as the artifact's root: %v", err)
	}
}

func TestOwnSchemaStaysInItsBuild(t *testing.T) {
	const widget = "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: a, namespace: b}\nspec:\n  parts:\n  - {name: x, size: 1}\n"
	const patch = "patches:\n- patch: |\n    apiVersion: example.org/v1\n    kind: Widget\n    metadata: {name: a, namespace: b}\n    spec: {parts: [{name: x, color: red}]}\n"
	const schema = `{"definitions":{"org.example.v1.Widget":{"type":"object","x-kubernetes-group-version-kind":[{"group":"example.org","kind":"Widget","version":"v1"}],"properties":{"spec":{"type":"object","properties":{"parts":{"type":"array","x-kubernetes-patch-merge-key":"name","x-kubernetes-patch-strategy":"merge","items":{"type":"object"}}}}}}}}`
	root, _ := extract(t, txtar.Parse([]byte("-- root/own/kustomization.yaml --\nopenapi: {path: schema.json}\nresources: [a.yaml]\n"+patch+"-- root/own/schema.json --\n"+schema+"\n-- root/own/a.yaml --\n"+widget+
		"-- root/apps/kustomization.yaml --\nresources: [a.yaml]\n"+patch+"-- root/apps/a.yaml --\n"+widget)))
	parts := func(path string) string {
		result, err := Build(t.Context(), Request{Root: root, Path: path, Kustomization: kustomization(t, nil)})
		if err != nil {
			t.Error(err)
			return ""
		}
		return fmt.Sprint(result.Objects[0].Object["spec"])
	}
	const merged, replaced = "map[parts:[map[color:red name:x size:1]]]", "map[parts:[map[color:red name:x]]]"
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if got := parts("own"); got != merged {
				t.Errorf("with a schema: %s", got)
			}
		})
		group.Go(func() {
			if got := parts("apps"); got != replaced {
				t.Errorf("without one: %s", got)
			}
		})
	}
	group.Wait()
}

func FuzzBuild(f *testing.F) {
	f.Add("resources: [a.yaml]", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}", "spec: {}")
	f.Add("resources: [../..]", "kind: [", "spec: {postBuild: {substitute: {A: '${A}'}}}")
	f.Fuzz(func(t *testing.T, k, a, spec string) {
		root := t.TempDir()
		for name, content := range map[string]string{"kustomization.yaml": k, "a.yaml": a} {
			if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		object := map[string]any{}
		if yaml.Unmarshal([]byte(spec), &object) != nil {
			t.Skip()
		}
		u := &unstructured.Unstructured{Object: object}
		result, err := Build(t.Context(), Request{Root: root, Kustomization: u, Offline: true})
		if err == nil && len(result.Objects) != len(result.Origins) {
			t.Error("an object has no origin")
		}
	})
}

// BenchmarkCorpus builds every Kustomization of a real homelab.
func BenchmarkCorpus(b *testing.B) {
	corpus := filepath.Join("..", "..", "..", "..", "shared", "corpora", "k8s-homelab")
	if _, err := os.Stat(corpus); err != nil {
		b.Skip("the homelab to build is not there:", corpus)
	}
	root, err := filepath.Abs(corpus)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		built, objects := 0, 0
		queue := []*unstructured.Unstructured{kustomization(b, []byte("spec: {path: ./kubernetes/main/apps}"))}
		for len(queue) > 0 {
			k := queue[0]
			queue = queue[1:]
			path, _, _ := unstructured.NestedString(k.Object, "spec", "path")
			result, err := Build(b.Context(), Request{Root: root, Path: path, Kustomization: k})
			if err != nil {
				b.Error(k.GetName(), err)
				continue
			}
			built++
			for _, obj := range result.Objects {
				objects++
				if obj.GetKind() == "Kustomization" {
					queue = append(queue, obj)
				}
			}
		}
		b.ReportMetric(float64(built), "kustomizations")
		b.ReportMetric(float64(objects), "objects")
	}
}
