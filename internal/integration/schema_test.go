package integration_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"

	"hearth/internal/kube/crds"
	"hearth/internal/manifest"
	"hearth/internal/schema"
)

// TestSchemaAgreesWithServer spoils good objects in every way it can think of
// and holds the server to it: whatever the schemas refuse the server refuses,
// too. What only the server refuses is counted.
func TestSchemaAgreesWithServer(t *testing.T) {
	t.Parallel()
	server := newDryRun(t)
	set := schemas(t)
	files, err := filepath.Glob("testdata/schema/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no objects to test with", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		docs, err := manifest.Parse(file, data)
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range docs {
			good := &unstructured.Unstructured{Object: doc.Object()}
			t.Run(good.GetKind()+"/"+good.GetName(), func(t *testing.T) { agree(t, server, set, good) })
		}
	}
}

func agree(t *testing.T, server *dryRun, set *schema.Set, good *unstructured.Unstructured) {
	if found, known := set.Validate(good, schema.Options{}); len(found) > 0 || !known {
		t.Fatalf("the schemas refuse a good object: %+v, known: %t", found, known)
	}
	if err := server.apply(t, good); err != nil {
		t.Fatalf("the server refuses a good object: %v", err)
	}
	var both, serverOnly atomic.Int64
	group := errgroup.Group{}
	group.SetLimit(8)
	spoil(good, func(how string, bad *unstructured.Unstructured) {
		group.Go(func() error {
			found, _ := set.Validate(bad, schema.Options{})
			err := server.apply(t, bad)
			switch {
			case err == nil && len(found) > 0:
				t.Errorf("%s: the server accepts what the schemas refuse: %s", how, found[0].Message)
			case err != nil && len(found) == 0:
				serverOnly.Add(1)
				t.Logf("%s: only the server refuses: %v", how, err)
			case err != nil:
				both.Add(1)
			}
			return nil
		})
	})
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if both.Load() == 0 {
		t.Error("the schemas refuse nothing")
	}
	t.Logf("refused by both: %d, by the server only: %d", both.Load(), serverOnly.Load())
}

// schemas are those of Hearth, and one whose definition demands whatever one
// can; the server has it, too.
func schemas(t *testing.T) *schema.Set {
	data, err := os.ReadFile("testdata/schema-definition.yaml")
	if err != nil {
		t.Fatal(err)
	}
	crd := new(apiextensionsv1.CustomResourceDefinition)
	fields := map[string]any{}
	if err := errors.Join(yaml.Unmarshal(data, crd), yaml.Unmarshal(data, &fields)); err != nil {
		t.Fatal(err)
	}
	if err := crds.Install(t.Context(), cluster(t).Config(), crd); err != nil {
		t.Fatal(err)
	}
	definition, err := schema.CustomResourceDefinition(&unstructured.Unstructured{Object: fields})
	if err != nil {
		t.Fatal(err)
	}
	return schema.Embedded().With(definition)
}

// dryRun applies objects without making them.
type dryRun struct {
	client    dynamic.Interface
	mapper    *restmapper.DeferredDiscoveryRESTMapper
	namespace string
}

func newDryRun(t *testing.T) *dryRun {
	cfg := rest.CopyConfig(cluster(t).Config())
	cfg.QPS = -1
	client, err := dynamic.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	known, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &dryRun{client, restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(known)), namespace(t)}
}

func (d *dryRun) apply(t *testing.T, obj *unstructured.Unstructured) error {
	gvk := obj.GroupVersionKind()
	mapping, err := d.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return err
	}
	obj = obj.DeepCopy()
	var resource dynamic.ResourceInterface = d.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == "namespace" {
		obj.SetNamespace(d.namespace)
		resource = d.client.Resource(mapping.Resource).Namespace(d.namespace)
	}
	_, err = resource.Apply(t.Context(), obj.GetName(), obj, metav1.ApplyOptions{FieldManager: "test", Force: true, DryRun: []string{metav1.DryRunAll}})
	return err
}

// spoil calls f with many copies of an object, one value changed in each.
func spoil(good *unstructured.Unstructured, f func(how string, bad *unstructured.Unstructured)) {
	var walk func(v any, path []string)
	change := func(path []string, how string, to any, remove bool) {
		bad := good.DeepCopy()
		set(bad.Object, path, to, remove)
		f(schema.FieldPath(path)+" "+how, bad)
	}
	walk = func(v any, path []string) {
		if len(path) > 0 && !identity[strings.Join(path, ".")] {
			change(path, "removed", nil, true)
			for _, other := range []any{"wrong", "", int64(-7), 1.5, true, []any{}, map[string]any{}, []any{"wrong"}, map[string]any{"wrong": "wrong"}, nil} {
				change(path, fmt.Sprintf("is %#v", other), other, false)
			}
		}
		switch v := v.(type) {
		case map[string]any:
			change(append(slices.Clone(path), "surprise"), "added", "x", false)
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(v[key], append(slices.Clone(path), key))
			}
		case []any:
			if len(v) > 0 {
				change(path, "has an item twice", append(slices.Clone(v), runtime.DeepCopyJSONValue(v[0])), false)
				change(path, "has an item null", append(slices.Clone(v), nil), false)
			}
			for i, item := range v {
				walk(item, append(slices.Clone(path), strconv.Itoa(i)))
			}
		}
	}
	walk(good.Object, nil)
}

// identity are the fields without which no request can be made.
var identity = map[string]bool{"apiVersion": true, "kind": true, "metadata": true, "metadata.name": true}

// set changes or removes one value of an object.
func set(in any, path []string, to any, remove bool) {
	for _, step := range path[:len(path)-1] {
		in = descend(in, step)
	}
	last := path[len(path)-1]
	switch in := in.(type) {
	case map[string]any:
		if remove {
			delete(in, last)
			return
		}
		in[last] = runtime.DeepCopyJSONValue(to)
	case []any:
		i, _ := strconv.Atoi(last)
		in[i] = runtime.DeepCopyJSONValue(to)
	}
}

func descend(in any, step string) any {
	switch in := in.(type) {
	case map[string]any:
		return in[step]
	case []any:
		i, _ := strconv.Atoi(step)
		return in[i]
	}
	return nil
}
