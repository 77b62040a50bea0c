package kustomization

import "k8s.io/apimachinery/pkg/types"

// interest knows which Kustomizations wait for which keys.
type interest[K comparable] struct {
	in map[K]map[types.NamespacedName]bool
	of map[types.NamespacedName][]K
}

func newInterest[K comparable]() interest[K] {
	return interest[K]{in: map[K]map[types.NamespacedName]bool{}, of: map[types.NamespacedName][]K{}}
}

// set lets a Kustomization wait for keys, and no longer for others.
func (i interest[K]) set(name types.NamespacedName, keys []K) {
	for _, key := range i.of[name] {
		delete(i.in[key], name)
		if len(i.in[key]) == 0 {
			delete(i.in, key)
		}
	}
	delete(i.of, name)
	if len(keys) == 0 {
		return
	}
	i.of[name] = keys
	for _, key := range keys {
		if i.in[key] == nil {
			i.in[key] = map[types.NamespacedName]bool{}
		}
		i.in[key][name] = true
	}
}
