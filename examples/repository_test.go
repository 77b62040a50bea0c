package examples

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// object is one manifest.
type object = map[string]any

// field follows keys through maps; it returns nil where one is missing.
func field(from any, keys ...string) any {
	for _, key := range keys {
		node, ok := from.(map[string]any)
		if !ok {
			return nil
		}
		from = node[key]
	}
	return from
}

func text(from any, keys ...string) string {
	found, _ := field(from, keys...).(string)
	return found
}

func items(from any, keys ...string) []any {
	found, _ := field(from, keys...).([]any)
	return found
}

// name is how an object is told apart from others of its cluster.
func name(one object) string {
	return fmt.Sprintf("%s %s/%s", text(one, "kind"), text(one, "metadata", "namespace"), text(one, "metadata", "name"))
}

// scratch is the folder that homelabs are unpacked below; it goes with the tests.
var scratch string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "hearth-examples-")
	if err == nil {
		scratch, err = filepath.EvalSymlinks(folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// unpack writes the embedded homelab into a folder of its own and returns it.
func unpack(t *testing.T, cluster string) string {
	t.Helper()
	root := filepath.Join(scratch, cluster)
	homelab, err := fs.Sub(Homelab, "homelab")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(root, homelab); err != nil {
		t.Fatal(err)
	}
	return root
}

// readYAML reads all documents of one file.
func readYAML(t *testing.T, path string) []object {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return documents(t, path, string(data))
}

// documents splits YAML; a document must parse strictly.
func documents(t *testing.T, place, data string) []object {
	t.Helper()
	var found []object
	for _, document := range strings.Split("\n"+data, "\n---") {
		one := object{}
		if err := yaml.UnmarshalStrict([]byte(document), &one); err != nil {
			t.Fatalf("%s: %v", place, err)
		}
		if len(one) > 0 {
			found = append(found, one)
		}
	}
	return found
}

// built is what one Flux Kustomization applies.
type built struct {
	kustomization object
	objects       []object
}

// homelab is one cluster of the example, built from its entry as Flux would.
type homelab struct {
	root    string
	cluster string
	applied map[string]built  // by name of the Kustomization
	objects map[string]object // everything applied, by name
}

// ready keeps what was built: tests only read it.
var ready = map[string]*homelab{}

// build starts at the path that the release of flux-instance names and builds
// every Kustomization it leads to.
func build(t *testing.T, cluster string) *homelab {
	t.Helper()
	if h := ready[cluster]; h != nil {
		return h
	}
	h := &homelab{root: unpack(t, cluster), cluster: cluster, applied: map[string]built{}, objects: map[string]object{}}
	instance := readYAML(t, filepath.Join(h.root, "kubernetes", cluster, "apps/flux-system/flux-instance/app/helmrelease.yaml"))[0]
	sync := field(instance, "spec", "values", "instance", "sync")
	if text(sync, "kind") != "GitRepository" || text(sync, "url") == "" || text(sync, "ref") == "" {
		t.Fatalf("flux-instance names no complete sync: %v", sync)
	}
	entry := object{
		"apiVersion": "kustomize.toolkit.fluxcd.io/v1",
		"kind":       "Kustomization",
		"metadata":   object{"name": "flux-system", "namespace": "flux-system"},
		"spec":       object{"path": "./" + text(sync, "path"), "prune": true, "interval": "1h"},
	}
	h.apply(t, entry)
	ready[cluster] = h
	return h
}

// apply builds one Kustomization, records its objects, and goes on with those
// that are Kustomizations themselves.
func (h *homelab) apply(t *testing.T, ks object) {
	t.Helper()
	if _, done := h.applied[name(ks)]; done {
		t.Fatalf("%s is applied twice", name(ks))
	}
	path := text(ks, "spec", "path")
	if !strings.HasPrefix(path, "./kubernetes/"+h.cluster+"/") {
		t.Errorf("%s of cluster %s has the path %s: clusters share nothing", name(ks), h.cluster, path)
	}
	result := built{kustomization: ks, objects: h.kustomize(t, ks, filepath.Join(h.root, path))}
	h.applied[name(ks)] = result
	for _, one := range result.objects {
		if _, twice := h.objects[name(one)]; twice {
			t.Errorf("%s is applied by %s and by another Kustomization", name(one), name(ks))
		}
		h.objects[name(one)] = one
	}
	for _, one := range result.objects {
		if text(one, "kind") == "Kustomization" {
			h.apply(t, one)
		}
	}
}

// kustomize builds a folder with Flux's own generator and substitutes variables
// strictly: one that is defined nowhere is an error.
func (h *homelab) kustomize(t *testing.T, ks object, dir string) []object {
	t.Helper()
	spec := unstructured.Unstructured{Object: h.withSettings(t, ks)}
	action, err := kustomize.NewGenerator(h.root, spec).WriteFile(dir, kustomize.WithSaveOriginalKustomization())
	if err != nil {
		t.Fatalf("%s: %v", name(ks), err)
	}
	resources, err := kustomize.SecureBuild(h.root, dir, false)
	if err != nil {
		t.Fatalf("%s: %v", name(ks), err)
	}
	if err := kustomize.CleanDirectory(dir, action); err != nil {
		t.Fatalf("%s: %v", name(ks), err)
	}
	var objects []object
	for _, resource := range resources.Resources() {
		substituted, err := kustomize.SubstituteVariables(context.Background(), nil, spec, resource,
			kustomize.SubstituteWithDryRun(true), kustomize.SubstituteWithStrict(true))
		if err != nil {
			t.Errorf("%s: %s: %v", name(ks), resource.CurId(), err)
			continue
		}
		data, err := substituted.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		one := object{}
		if err := yaml.Unmarshal(data, &one); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, one)
	}
	return objects
}

// withSettings returns a copy of ks whose postBuild holds the variables of the
// ConfigMaps that it substitutes from.
func (h *homelab) withSettings(t *testing.T, ks object) object {
	t.Helper()
	filled := (&unstructured.Unstructured{Object: ks}).DeepCopy().Object
	variables := object{}
	for _, from := range items(ks, "spec", "postBuild", "substituteFrom") {
		id := fmt.Sprintf("%s %s/%s", text(from, "kind"), text(ks, "metadata", "namespace"), text(from, "name"))
		source, ok := h.objects[id]
		if !ok {
			t.Fatalf("%s substitutes from %s, which nobody applied before it", name(ks), id)
		}
		data, _ := field(source, "data").(map[string]any)
		for key, value := range data {
			variables[key] = value
		}
	}
	own, _ := field(ks, "spec", "postBuild", "substitute").(map[string]any)
	for key, value := range own {
		variables[key] = value
	}
	if len(variables) > 0 {
		field(filled, "spec").(map[string]any)["postBuild"] = object{"substitute": variables}
	}
	return filled
}

// all returns the applied objects of a kind, in order of their names.
func (h *homelab) all(kind string) []object {
	var found []object
	for _, one := range h.objects {
		if text(one, "kind") == kind {
			found = append(found, one)
		}
	}
	sort.Slice(found, func(i, j int) bool { return name(found[i]) < name(found[j]) })
	return found
}
