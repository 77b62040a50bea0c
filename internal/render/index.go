// Package render goes from an artifact to the objects it describes. Its
// folders do so for kustomizations and charts; the package itself keeps the
// [Index] beside the objects: where in Git each of them stands.
//
// Nothing of the index is ever written into an object.
package render

import (
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/domain"
)

// Key names one object whatever the version of its API.
type Key struct {
	Group, Kind, Namespace, Name string
}

// KeyOf returns the key of an object that carries its kind.
func KeyOf(obj *unstructured.Unstructured) Key {
	gvk := obj.GroupVersionKind()
	return Key{gvk.Group, gvk.Kind, obj.GetNamespace(), obj.GetName()}
}

// Index knows where in Git objects stand. Its zero value is ready to use; all
// methods may be called concurrently, and on a nil index, which knows nothing.
type Index struct {
	mu      sync.RWMutex
	origins map[Key]Origin
}

// Put notes where an object stands, instead of where it stood before.
func (x *Index) Put(key Key, origin Origin) {
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.origins == nil {
		x.origins = map[Key]Origin{}
	}
	x.origins[key] = origin
}

// Remove forgets an object.
func (x *Index) Remove(key Key) {
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.origins, key)
}

// Origin returns where an object comes from.
func (x *Index) Origin(key Key) (Origin, bool) {
	if x == nil {
		return Origin{}, false
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	origin, ok := x.origins[key]
	return origin, ok
}

// Place returns where an object stands, or one of its fields: the line of the
// last part of the field's path that the file has. List items are named by
// their index. The place is unknown for an object that is not in the index.
func (x *Index) Place(key Key, field ...string) domain.Place {
	origin, ok := x.Origin(key)
	if !ok {
		return domain.Place{}
	}
	return origin.Place(key, field...)
}

// PlaceOf returns where an object stands, as Place does.
func (x *Index) PlaceOf(obj *unstructured.Unstructured, field ...string) domain.Place {
	return x.Place(KeyOf(obj), field...)
}
