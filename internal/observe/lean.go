package observe

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// annotationLastApplied is where kubectl keeps a whole copy of an object.
const annotationLastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// lean is a cache that asks for no more of an object than states are derived
// from: of all kinds but those that are told of, names and marks alone. What a
// Secret holds is never asked for.
type lean struct {
	cache.Cache
	scheme *runtime.Scheme
	whole  map[schema.GroupVersionKind]bool
}

// newLean returns a lean cache of a cluster.
func newLean(config *rest.Config, known *runtime.Scheme) (lean, error) {
	c, err := cache.New(config, cache.Options{Scheme: known, DefaultTransform: trimmed})
	if err != nil {
		return lean{}, fmt.Errorf("watch the cluster at %s: %w", config.Host, err)
	}
	l := lean{Cache: c, scheme: known, whole: map[schema.GroupVersionKind]bool{
		kustomizationKind: true, helmReleaseKind: true, externalSecretKind: true, httpRouteKind: true, podKind: true,
		storeKind: true, clusterStoreKind: true,
	}}
	for _, kind := range FurtherKinds {
		l.whole[kind] = true
	}
	return l, nil
}

// GetInformer returns an informer for the marks of most kinds.
func (l lean) GetInformer(ctx context.Context, obj client.Object, opts ...cache.InformerGetOption) (cache.Informer, error) {
	kind, err := apiutil.GVKForObject(obj, l.scheme)
	if err == nil && !l.whole[kind] {
		marks := &metav1.PartialObjectMetadata{}
		marks.SetGroupVersionKind(kind)
		obj = marks
	}
	return l.Cache.GetInformer(ctx, obj, opts...)
}

// trimmed is trim as a cache wants it.
func trimmed(obj any) (any, error) {
	if o, ok := obj.(client.Object); ok {
		trim(o)
	}
	return obj, nil
}

// trim drops from an object what no state is derived from.
func trim(o client.Object) {
	o.SetManagedFields(nil)
	if a := o.GetAnnotations(); a[annotationLastApplied] != "" {
		delete(a, annotationLastApplied)
		o.SetAnnotations(a)
	}
	switch o := o.(type) {
	case *corev1.Pod:
		trimPod(o)
	case *corev1.Node:
		o.Status.Images, o.Status.VolumesInUse, o.Status.VolumesAttached = nil, nil, nil
	case *unstructured.Unstructured:
		if isDatabase(o.GroupVersionKind().GroupKind()) {
			trimSpec(o)
		}
	}
}

// trimSpec keeps of a database's spec how many instances it wants.
func trimSpec(o *unstructured.Unstructured) {
	instances, found, _ := unstructured.NestedFieldCopy(o.Object, "spec", "instances")
	spec := map[string]any{}
	if found {
		spec["instances"] = instances
	}
	o.Object["spec"] = spec
}
