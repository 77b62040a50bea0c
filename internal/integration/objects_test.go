package integration_test

import (
	"testing"
	"time"

	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
)

// TestObjectsOfClusterScope waits for an object that lives in no namespace by
// a key that has one, which is how a manifest with a target namespace names it.
func TestObjectsOfClusterScope(t *testing.T) {
	s := scheme.New()
	c, err := cache.New(cluster(t).Config(), cache.Options{Scheme: s})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if err := c.Start(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	o := objects.New(c, s)
	gvk := schema.GroupVersionKind{Group: "storage.k8s.io", Version: "v1", Kind: "StorageClass"}
	if err := o.Follow(t.Context(), gvk); err != nil {
		t.Fatal(err)
	}
	name := namespace(t)
	key := objects.Key{GroupVersionKind: gvk, NamespacedName: types.NamespacedName{Namespace: "media", Name: name}}
	changed, stop := o.Notify(key)
	defer stop()

	client, err := kubernetes.NewForConfig(cluster(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: "example.com/none"}
	if _, err := client.StorageV1().StorageClasses().Create(t.Context(), class, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody told of the class")
	}
	if _, err := o.Get(t.Context(), key); err != nil {
		t.Error(err)
	}
	keys, err := o.Keys(t.Context(), gvk)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.Name == name && k.Namespace == "" {
			return
		}
	}
	t.Errorf("Keys has no %s", name)
}
