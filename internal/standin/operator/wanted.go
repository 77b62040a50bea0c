package operator

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"hearth/internal/kube/objects"
)

// wanted knows which played objects look for which others.
type wanted map[want]map[objects.Key]bool

// want names an object that may not be there; a name of "" is any of the kind
// in the namespace.
type want struct {
	schema.GroupKind
	types.NamespacedName
}

func (w wanted) add(by objects.Key, it want) {
	if w[it] == nil {
		w[it] = map[objects.Key]bool{}
	}
	w[it][by] = true
}

func (w wanted) drop(by objects.Key) {
	for it, all := range w {
		delete(all, by)
		if len(all) == 0 {
			delete(w, it)
		}
	}
}

// concerned returns the played objects that a change concerns: those that look
// for what has changed, and the one that controls it.
func (s *stage) concerned(change objects.Change) []objects.Key {
	var keys []objects.Key
	kind := change.Key.GroupKind()
	s.mu.Lock()
	for _, name := range []string{change.Key.Name, ""} {
		for key := range s.wanted[want{kind, types.NamespacedName{Namespace: change.Key.Namespace, Name: name}}] {
			keys = append(keys, key)
		}
	}
	s.mu.Unlock()
	obj := change.New
	if obj == nil {
		obj = change.Old
	}
	if owner := metav1.GetControllerOfNoCopy(obj); owner != nil {
		keys = append(keys, objects.Key{
			GroupVersionKind: schema.FromAPIVersionAndKind(owner.APIVersion, owner.Kind),
			NamespacedName:   types.NamespacedName{Namespace: obj.GetNamespace(), Name: owner.Name},
		})
	}
	return keys
}

// Heed has the object seen again when one of a kind in a namespace changes.
func (v *Visit) Heed(kind schema.GroupKind, namespace, name string) {
	v.stage.mu.Lock()
	defer v.stage.mu.Unlock()
	v.stage.wanted.add(v.Key, want{kind, types.NamespacedName{Namespace: namespace, Name: name}})
}

// Find returns a copy of another object, or nil where it, or its kind, is not
// there. The object at hand is seen again when the other one changes.
func (v *Visit) Find(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	v.Heed(gvk.GroupKind(), namespace, name)
	obj, err := v.Objects.Get(ctx, objects.Key{GroupVersionKind: gvk, NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}})
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	return obj, err
}
