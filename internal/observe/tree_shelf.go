package observe

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/objects"
)

// controlledKinds are those that other objects bring about by controlling
// them.
var controlledKinds = []schema.GroupVersionKind{
	{Group: "apps", Version: "v1", Kind: "Deployment"},
	{Group: "apps", Version: "v1", Kind: "StatefulSet"},
	{Group: "apps", Version: "v1", Kind: "DaemonSet"},
	{Group: "apps", Version: "v1", Kind: "ReplicaSet"},
	{Group: "batch", Version: "v1", Kind: "CronJob"},
	{Group: "batch", Version: "v1", Kind: "Job"},
	{Version: "v1", Kind: "PersistentVolumeClaim"},
	{Version: "v1", Kind: kindPod},
	{Version: "v1", Kind: kindSecret},
}

// shelf names the objects of a kind in a namespace.
type shelf struct {
	schema.GroupVersionKind
	namespace string
}

// content is what stands on a shelf.
type content struct {
	byName       map[string]*unstructured.Unstructured
	byController map[types.UID][]objects.Key
	err          error
}

// find returns an object: each kind is read once for a namespace.
func (t *tree) find(ctx context.Context, key objects.Key) (*unstructured.Unstructured, error) {
	gvk, err := t.servedAs(key.GroupVersionKind)
	if err != nil {
		return nil, err
	}
	on := t.shelf(ctx, shelf{gvk, key.Namespace})
	if on.err != nil {
		return nil, on.err
	}
	if obj := on.byName[key.Name]; obj != nil {
		return obj, nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Group: key.Group, Resource: key.Kind}, key.Name)
}

// servedAs returns a kind in a version that the cluster serves.
func (t *tree) servedAs(gvk schema.GroupVersionKind) (schema.GroupVersionKind, error) {
	mapping, err := t.client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if apimeta.IsNoMatchError(err) {
		mapping, err = t.client.RESTMapper().RESTMapping(gvk.GroupKind())
	}
	if err != nil {
		return gvk, err
	}
	return mapping.GroupVersionKind, nil
}

// controlled returns the objects that an object controls.
func (t *tree) controlled(ctx context.Context, obj *unstructured.Unstructured) ([]objects.Key, error) {
	var keys []objects.Key
	if obj.GetNamespace() == "" {
		return nil, nil
	}
	for _, gvk := range controlledKinds {
		on := t.shelf(ctx, shelf{gvk, obj.GetNamespace()})
		if on.err != nil && !apierrors.IsForbidden(on.err) {
			return nil, fmt.Errorf("list objects of kind %s: %w", gvk.Kind, on.err)
		}
		keys = append(keys, on.byController[obj.GetUID()]...)
	}
	return keys, nil
}

func (t *tree) shelf(ctx context.Context, of shelf) *content {
	on := t.shelves[of]
	if on == nil {
		on = t.fill(ctx, of)
		t.shelves[of] = on
	}
	return on
}

// fill reads a shelf, page by page. Of what may hold secrets only the marks.
func (t *tree) fill(ctx context.Context, of shelf) *content {
	on := &content{byName: map[string]*unstructured.Unstructured{}, byController: map[types.UID][]objects.Key{}}
	next := ""
	for {
		page, token, err := t.page(ctx, of, next)
		if err != nil {
			on.err = err
			return on
		}
		for _, obj := range page {
			on.byName[obj.GetName()] = obj
			if owner := metav1.GetControllerOf(obj); owner != nil {
				key := objects.Key{GroupVersionKind: of.GroupVersionKind, NamespacedName: client.ObjectKeyFromObject(obj)}
				on.byController[owner.UID] = append(on.byController[owner.UID], key)
			}
		}
		if next = token; next == "" {
			return on
		}
	}
}

func (t *tree) page(ctx context.Context, of shelf, next string) (page []*unstructured.Unstructured, token string, err error) {
	options := []client.ListOption{client.InNamespace(of.namespace), client.Limit(pageSize), client.Continue(next)}
	if of.Group == "" && (of.Kind == kindSecret || of.Kind == kindConfigMap) {
		return t.marks(ctx, of, options)
	}
	list := untyped(of.GroupVersionKind).(*unstructured.UnstructuredList)
	if err := t.client.List(ctx, list, options...); err != nil {
		return nil, "", err
	}
	for i := range list.Items {
		page = append(page, &list.Items[i])
	}
	return page, list.GetContinue(), nil
}

// marks reads names, labels and owners only.
func (t *tree) marks(ctx context.Context, of shelf, options []client.ListOption) (page []*unstructured.Unstructured, token string, err error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(of.GroupVersion().WithKind(of.Kind + "List"))
	if err := t.client.List(ctx, list, options...); err != nil {
		return nil, "", err
	}
	for i := range list.Items {
		item := &list.Items[i]
		obj := &unstructured.Unstructured{}
		obj.SetGroupVersionKind(of.GroupVersionKind)
		obj.SetNamespace(item.Namespace)
		obj.SetName(item.Name)
		obj.SetUID(item.UID)
		obj.SetCreationTimestamp(item.CreationTimestamp)
		obj.SetDeletionTimestamp(item.DeletionTimestamp)
		obj.SetOwnerReferences(item.OwnerReferences)
		page = append(page, obj)
	}
	return page, list.GetContinue(), nil
}
