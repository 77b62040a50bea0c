package kubelet

import (
	"testing"

	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Devices that a node was given are published as its resource driver would,
// and no others are assumed beside them.
// https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
func TestDevicesOfTheConfiguration(t *testing.T) {
	w := newWorld(t)
	if err := w.nodes.add(Node{Name: "two", Devices: map[string]int{"gpu.example.org": 2}}); err != nil {
		t.Fatal(err)
	}
	for _, node := range []string{"one", "two", "two"} { // the same again does no harm
		if err := w.publishOwn(t.Context(), node); err != nil {
			t.Fatal(err)
		}
	}
	claim := &resourcev1.ResourceClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "home", Name: "gpu"}}
	if err := w.publish(t.Context(), claim, classWith(`device.driver == "gpu.example.org"`)); err != nil {
		t.Fatal(err)
	}
	slices := &resourcev1.ResourceSliceList{}
	if err := w.client.List(t.Context(), slices); err != nil {
		t.Fatal(err)
	}
	if len(slices.Items) != 1 {
		t.Fatalf("%d slices: %+v", len(slices.Items), slices.Items)
	}
	s := slices.Items[0].Spec
	if s.Driver != "gpu.example.org" || *s.NodeName != "two" || s.Pool.Name != "two" || s.Pool.ResourceSliceCount != 1 || len(s.Devices) != 2 {
		t.Errorf("%+v", s)
	}
	if err := w.publish(t.Context(), claim, classWith(`device.driver == "npu.example.org"`)); err != nil {
		t.Fatal(err)
	}
	if err := w.client.List(t.Context(), slices); err != nil || len(slices.Items) != 3 {
		t.Errorf("of an unknown driver there are %d slices, %v", len(slices.Items)-1, err)
	}
}
