package diagnose

import "slices"

// web is who waits for whom among what is in trouble or missing.
type web struct {
	needs, blocks map[Key][]Key
}

// weave follows every object in trouble to what it waits for.
func weave(w *World) *web {
	v := &web{needs: map[Key][]Key{}, blocks: map[Key][]Key{}}
	missing := map[Key]bool{}
	link := func(from Key, to []Key) {
		for _, k := range to {
			if k == from || k.Name == "" || !w.Ails(k) {
				continue
			}
			v.needs[from] = append(v.needs[from], k)
			v.blocks[k] = append(v.blocks[k], from)
			if w.Get(k) == nil {
				missing[k] = true
			}
		}
	}
	for _, o := range w.everything() {
		link(o.Key, w.Needs(o))
	}
	for _, k := range sortedKeys(missing) {
		link(k, w.makers(k))
	}
	return v
}

// everything returns all objects, in order.
func (w *World) everything() []*Object {
	return w.All(Kinds...)
}

func sortedKeys(set map[Key]bool) []Key {
	keys := make([]Key, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

// reach returns all that waits for some objects, directly or through others,
// with them. Circles end.
func reach(edges map[Key][]Key, from ...Key) map[Key]bool {
	reached := map[Key]bool{}
	pending := slices.Clone(from)
	for len(pending) > 0 {
		k := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if reached[k] || k == (Key{}) {
			continue
		}
		reached[k] = true
		pending = append(pending, edges[k]...)
	}
	return reached
}
