package integration_test

import (
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"

	"hearth/internal/kube/crds"
)

func TestInstallMayBeCalledAgain(t *testing.T) {
	began := time.Now()
	if err := crds.Install(t.Context(), cluster(t).Config()); err != nil {
		t.Fatal(err)
	}
	t.Logf("took %s", time.Since(began))
}

func TestInstalledKindsAreDiscovered(t *testing.T) {
	all, err := crds.All()
	if err != nil {
		t.Fatal(err)
	}
	client, err := discovery.NewDiscoveryClientForConfig(cluster(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	lists, err := client.ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, list := range lists {
		for _, resource := range list.APIResources {
			group, _, _ := strings.Cut(list.GroupVersion, "/")
			kinds[resource.Name+"."+group] = true
		}
	}
	for _, crd := range all {
		if !kinds[crd.Name] {
			t.Errorf("%s is not discovered", crd.Name)
		}
	}
}

// TestInstallLeavesWhatOthersOwn has somebody else take a definition over, as
// a chart does that brings its own.
func TestInstallLeavesWhatOthersOwn(t *testing.T) {
	definitions, err := clientset.NewForConfig(cluster(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	client := definitions.ApiextensionsV1().CustomResourceDefinitions()
	ours := crds.Permissive("own.example.com", "v1", "Thing", "things", true)
	if err := crds.Install(t.Context(), cluster(t).Config(), ours); err != nil {
		t.Fatal(err)
	}
	force := true
	theirs := `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.own.example.com"},"spec":{"group":"own.example.com","scope":"Namespaced",
		"names":{"kind":"Thing","listKind":"ThingList","plural":"things","singular":"thing","shortNames":["thg"]},
		"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"size":{"type":"integer"}}}}}}}]}}`
	if _, err := client.Patch(t.Context(), ours.Name, types.ApplyPatchType, []byte(theirs), metav1.PatchOptions{FieldManager: "chart", Force: &force}); err != nil {
		t.Fatal(err)
	}
	if err := crds.Install(t.Context(), cluster(t).Config(), ours); err != nil {
		t.Fatal(err)
	}
	now, err := client.Get(t.Context(), ours.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if now.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["size"].Type != "integer" {
		t.Error("Install overwrote a definition that somebody else had taken over")
	}
}

func TestInstallReportsRefusedNames(t *testing.T) {
	first := crds.Permissive("clash.example.com", "v1", "Apple", "apples", true)
	second := crds.Permissive("clash.example.com", "v1", "Apple", "fruits", true)
	for _, test := range []struct {
		crd  *apiextensionsv1.CustomResourceDefinition
		want string
	}{{first, ""}, {second, "refuses the names of fruits.clash.example.com"}} {
		err := crds.Install(t.Context(), cluster(t).Config(), test.crd)
		switch {
		case test.want == "" && err != nil:
			t.Fatal(err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("error %v does not say %q", err, test.want)
		}
	}
}

func TestPermissiveKeepsGenerationOnStatus(t *testing.T) {
	ns := namespace(t)
	crd := crds.Permissive("any.example.com", "v1", "Gadget", "gadgets", true)
	if err := crds.Install(t.Context(), cluster(t).Config(), crd); err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(cluster(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	gadgets := client.Resource(schema.GroupVersionResource{Group: "any.example.com", Version: "v1", Resource: "gadgets"}).Namespace(ns)
	made, err := gadgets.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "any.example.com/v1", "kind": "Gadget", "metadata": map[string]any{"name": "g"},
		"spec": map[string]any{"deep": map[string]any{"list": []any{"a", map[string]any{"b": true}}}}, "data": "at the top",
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if list, _, _ := unstructured.NestedSlice(made.Object, "spec", "deep", "list"); len(list) != 2 || made.Object["data"] != "at the top" {
		t.Errorf("content was dropped: %v", made.Object)
	}
	made.Object["status"] = map[string]any{"phase": "Ready"}
	updated, err := gadgets.UpdateStatus(t.Context(), made, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if updated.GetGeneration() != made.GetGeneration() {
		t.Errorf("a change of the status moved the generation from %d to %d", made.GetGeneration(), updated.GetGeneration())
	}
}
