package kustomization

import (
	"testing"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestAsListed names objects as the server will, so that the same object is
// never listed twice and pruned as the one that is gone.
func TestAsListed(t *testing.T) {
	kinds := apimeta.NewDefaultRESTMapper(nil)
	kinds.Add(schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, apimeta.RESTScopeNamespace)
	kinds.Add(schema.GroupVersionKind{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRole"}, apimeta.RESTScopeRoot)
	object := func(apiVersion, kind, name string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name, "namespace": "ns"},
		}}
	}
	listed := asListed(kinds, []*unstructured.Unstructured{
		object("v1", "ConfigMap", "a"),
		object("rbac.authorization.k8s.io/v1", "ClusterRole", "r"),
		object("late.example.org/v1", "Widget", "w"),
	})
	before := &kustomizev1.ResourceInventory{Entries: []kustomizev1.ResourceRef{{ID: "_r_rbac.authorization.k8s.io_ClusterRole", Version: "v1"}}}
	want := []kustomizev1.ResourceRef{before.Entries[0], {ID: "ns_a__ConfigMap", Version: "v1"}}
	if diff := cmp.Diff(want, withObjects(before, listed).Entries); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	if len(before.Entries) != 1 {
		t.Error("the inventory that was found is changed")
	}
	if got := withObjects(nil, nil); got == nil || got.Entries == nil {
		t.Errorf("an empty inventory is %v", got)
	}
}

// FuzzInventory reads entries that anybody may have written into a status:
// what is read names one object, and is listed again under the same name.
func FuzzInventory(f *testing.F) {
	for _, id := range []string{"ns_a__ConfigMap", "_r_rbac.authorization.k8s.io_ClusterRole", "ns_a:b_rbac.authorization.k8s.io_Role", "___", "", "a_b_c_d_e", "../_.._x_y"} {
		f.Add(id, "v1")
	}
	f.Fuzz(func(t *testing.T, id, version string) {
		list, err := inventoryObjects(&kustomizev1.ResourceInventory{Entries: []kustomizev1.ResourceRef{{ID: id, Version: version}}}, nil)
		if err != nil {
			return
		}
		if len(list) != 1 {
			t.Fatalf("%q names %d objects", id, len(list))
		}
		again, err := inventoryObjects(withObjects(nil, list), nil)
		if err != nil {
			t.Fatalf("%q was read, but not %q: %v", id, idOf(list[0]), err)
		}
		if len(again) != 1 || again[0].GetName() != list[0].GetName() || again[0].GetNamespace() != list[0].GetNamespace() || again[0].GroupVersionKind().GroupKind() != list[0].GroupVersionKind().GroupKind() {
			t.Errorf("%q names %v, and then %v", id, list[0], again)
		}
		if left, err := inventoryObjects(withObjects(nil, list), withObjects(nil, list)); err != nil || len(left) != 0 {
			t.Errorf("%q is gone though it is kept: %v, %v", id, left, err)
		}
	})
}
