package objects

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Written remembers objects as they were last written, for as long as the
// cache may not know of it, so that nobody acts twice on what is old. The zero
// value is ready to use; its methods may be called concurrently.
type Written[T client.Object] struct {
	mu   sync.Mutex
	last map[types.NamespacedName]T
}

// Note remembers an object as the server returned it from a write.
func (w *Written[T]) Note(obj T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil {
		w.last = map[types.NamespacedName]T{}
	}
	w.last[client.ObjectKeyFromObject(obj)] = obj.DeepCopyObject().(T)
}

// Latest returns the object as the cache has it, or a copy of it as it was last
// written where that is later.
func (w *Written[T]) Latest(cached T) T {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := client.ObjectKeyFromObject(cached)
	last, ok := w.last[key]
	if !ok {
		return cached
	}
	if last.GetUID() == cached.GetUID() && Older(cached, last) {
		return last.DeepCopyObject().(T)
	}
	delete(w.last, key)
	return cached
}

// Forget forgets an object that is gone.
func (w *Written[T]) Forget(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.last, key)
}

// Older reports whether an object was written before another of the same
// cluster, whatever their kinds: versions are numbers that grow with each write.
// It is false where one of them has none.
func Older(a, b client.Object) bool {
	order, err := resourceversion.CompareResourceVersion(a.GetResourceVersion(), b.GetResourceVersion())
	return err == nil && order < 0
}
