package fluxoperator

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"hearth/internal/kube/objects"
)

// Interest knows which owners want to know of changes of which objects. The
// zero value is ready to use; its methods may be called concurrently.
type Interest struct {
	mu     sync.Mutex
	owners map[objects.Key][]types.NamespacedName
	wanted map[types.NamespacedName][]objects.Key
}

// Set lets an owner know of changes of these objects, and of no others.
func (i *Interest) Set(owner types.NamespacedName, keys []objects.Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.owners == nil {
		i.owners, i.wanted = map[objects.Key][]types.NamespacedName{}, map[types.NamespacedName][]objects.Key{}
	}
	for _, key := range i.wanted[owner] {
		left := slices.DeleteFunc(i.owners[key], func(o types.NamespacedName) bool { return o == owner })
		if i.owners[key] = left; len(left) == 0 {
			delete(i.owners, key)
		}
	}
	delete(i.wanted, owner)
	if len(keys) == 0 {
		return
	}
	i.wanted[owner] = slices.Clone(keys)
	for _, key := range keys {
		if !slices.Contains(i.owners[key], owner) {
			i.owners[key] = append(i.owners[key], owner)
		}
	}
}

// Of returns the owners that want to know of an object's change.
func (i *Interest) Of(key objects.Key) []types.NamespacedName {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.owners[key])
}
