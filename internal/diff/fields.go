package diff

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxFields bounds how many fields of one object are told apart; the rest of a
// larger difference is one field at the top of what differs.
const maxFields = 2_000

// step is one step of a path: a name, or the entry of a list.
type step struct {
	name string
	// index is where the entry stands, in the tree that has it; -1 for a name.
	index int
}

// walk gathers the fields that differ.
type walk struct {
	fields []Field
}

// fieldsOf returns the fields that differ between two objects.
func fieldsOf(before, after map[string]any) []Field {
	w := &walk{}
	w.value(nil, before, after)
	return w.fields
}

func (w *walk) add(kind Kind, path []step, before, after any) {
	w.fields = append(w.fields, Field{Kind: kind, Path: pathOf(path), Before: before, After: after, steps: path})
}

func (w *walk) value(path []step, before, after any) {
	if len(w.fields) >= maxFields {
		return
	}
	switch a := before.(type) {
	case map[string]any:
		if b, ok := after.(map[string]any); ok {
			w.mapping(path, a, b)
			return
		}
	case []any:
		if b, ok := after.([]any); ok {
			w.list(path, a, b)
			return
		}
	}
	if !equal(before, after) {
		w.add(Changed, path, before, after)
	}
}

func (w *walk) mapping(path []step, before, after map[string]any) {
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range after {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		at := append(slices.Clip(path), step{name, -1})
		a, was := before[name]
		b, is := after[name]
		switch {
		case was && is:
			w.value(at, a, b)
		case is:
			w.whole(Added, at, b)
		default:
			w.whole(Removed, at, a)
		}
	}
}

// whole adds what comes or goes. Labels and annotations are told one by one, so
// that those which only repeat a version can be left out.
func (w *walk) whole(kind Kind, path []step, value any) {
	if m, ok := value.(map[string]any); ok && len(m) > 0 && isMetadataMap(path[len(path)-1].name) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			w.whole(kind, append(slices.Clip(path), step{name, -1}), m[name])
		}
		return
	}
	if path[len(path)-1].name == "protocol" && value == defaultProtocol {
		return // which says nothing new
	}
	if kind == Added {
		w.add(kind, path, nil, value)
	} else {
		w.add(kind, path, value, nil)
	}
}

func isMetadataMap(name string) bool { return name == "labels" || name == "annotations" }

// list compares lists: by what names their entries where they all have such a
// name, else by the entries that both have in the same order.
func (w *walk) list(path []step, before, after []any) {
	field := ""
	if len(path) > 0 {
		field = path[len(path)-1].name
	}
	if was, is, ok := namedEntries(field, before, after); ok {
		w.named(path, field, before, after, was, is)
		return
	}
	old, now := texts(before), texts(after)
	pairs := align(len(before), len(after), func(i, j int) bool { return old[i] == now[j] })
	w.aligned(path, before, after, pairs)
}

func texts(list []any) []string {
	texts := make([]string, len(list))
	for i, entry := range list {
		texts[i] = jsonOf(entry)
	}
	return texts
}

func (w *walk) named(path []step, field string, before, after []any, old, now []string) {
	at := map[string]int{}
	for i, name := range old {
		at[name] = i
	}
	var shared []int
	for j, name := range now {
		here := append(slices.Clip(path), step{name, j})
		i, was := at[name]
		if !was {
			w.add(Added, here, nil, after[j])
			continue
		}
		shared = append(shared, i)
		w.value(here, before[i], after[j])
	}
	for i, name := range old {
		if !slices.Contains(now, name) {
			w.add(Removed, append(slices.Clip(path), step{name, i}), before[i], nil)
		}
	}
	if ordered[field] && !slices.IsSorted(shared) {
		w.add(Reordered, path, namesOf(old), namesOf(now))
	}
}

// ordered are lists whose order counts though their entries have names.
var ordered = map[string]bool{"initContainers": true}

func namesOf(list []string) []any {
	names := make([]any, len(list))
	for i, name := range list {
		names[i] = name
	}
	return names
}

// aligned compares lists of which some entries are the same: what stands
// between two of those is compared in its order.
func (w *walk) aligned(path []step, before, after []any, pairs [][2]int) {
	i, j := 0, 0
	for _, p := range append(pairs, [2]int{len(before), len(after)}) {
		for ; i < p[0] && j < p[1]; i, j = i+1, j+1 {
			w.value(append(slices.Clip(path), step{strconv.Itoa(j), j}), before[i], after[j])
		}
		for ; i < p[0]; i++ {
			w.add(Removed, append(slices.Clip(path), step{strconv.Itoa(i), i}), before[i], nil)
		}
		for ; j < p[1]; j++ {
			w.add(Added, append(slices.Clip(path), step{strconv.Itoa(j), j}), nil, after[j])
		}
		i, j = p[0]+1, p[1]+1
	}
}

// pathOf writes a path as people do: spec.containers[app].image.
func pathOf(path []step) string {
	var text strings.Builder
	for i, s := range path {
		switch {
		case s.index >= 0:
			text.WriteString("[" + s.name + "]")
		case strings.ContainsAny(s.name, "./[] "):
			text.WriteString("[" + strconv.Quote(s.name) + "]")
		default:
			if i > 0 {
				text.WriteByte('.')
			}
			text.WriteString(s.name)
		}
	}
	return text.String()
}

// indexed returns a path with entries of lists named by where they stand.
func indexed(path []step) []string {
	steps := make([]string, len(path))
	for i, s := range path {
		steps[i] = s.name
		if s.index >= 0 {
			steps[i] = strconv.Itoa(s.index)
		}
	}
	return steps
}
