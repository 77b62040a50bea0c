package onepassword

import (
	"maps"
	"slices"
	"sync"
)

// Assumer makes values up for the fields it was told of. A value depends on
// the seed, the item and the field only, and looks like what the field's name
// promises, so that templates and programs which parse it go on. Its methods
// may be called concurrently; the zero value knows of nothing.
type Assumer struct {
	// Seed that all values are drawn from.
	Seed uint64

	mu    sync.Mutex
	wants map[string]map[string]Need
}

// Want tells the assumer which fields will be asked for.
func (a *Assumer) Want(needs ...Need) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wants == nil {
		a.wants = map[string]map[string]Need{}
	}
	for _, n := range needs {
		if n.Known {
			continue
		}
		if a.wants[n.Item] == nil {
			a.wants[n.Item] = map[string]Need{}
		}
		old := a.wants[n.Item][n.Field]
		n.Through = union(slices.Clone(old.Through), n.Through)
		n.Keys = union(slices.Clone(old.Keys), n.Keys)
		a.wants[n.Item][n.Field] = n
	}
}

// wholeField is the ID of a field that stands for all of an item, of which
// nobody tells any: without one, no Secret would be made of the item.
var wholeField = MakeID("all fields")

// Fields returns the fields that are wanted of an item, ordered by label, and
// none for an item that nobody told of. An item that is wanted as a whole, and
// no field of it by name, has a single one in place of all. It serves
// ServerOptions.Assume.
func (a *Assumer) Fields(_, item string) []Field {
	a.mu.Lock()
	defer a.mu.Unlock()
	wants := a.wants[item]
	var fields []Field
	for _, label := range slices.Sorted(maps.Keys(wants)) {
		need, id := wants[label], MakeID("field", "", label, "0")
		if label == "" {
			if len(wants) > 1 {
				continue // the item exists by its other fields
			}
			label, id = DefaultField, wholeField
		}
		fields = append(fields, Field{
			ID: id, Label: label, Type: "CONCEALED",
			Value: NewValue(plausible(a.Seed, item, label, need)),
		})
	}
	return fields
}
