package graph

import (
	"iter"
	"maps"
	"slices"
	"strconv"
)

// field is the value at a path of an object. The zero value is an absent one,
// and so is what lies below it.
type field struct {
	value any
	path  []string
}

// at goes down by names of fields.
func (f field) at(names ...string) field {
	value := f.value
	for _, name := range names {
		m, ok := value.(map[string]any)
		if !ok {
			return field{}
		}
		if value, ok = m[name]; !ok || value == nil {
			return field{}
		}
	}
	return field{value, slices.Concat(f.path, names)}
}

// items yields the items of a list.
func (f field) items() iter.Seq[field] {
	return func(yield func(field) bool) {
		list, _ := f.value.([]any)
		for i, item := range list {
			if !yield(field{item, slices.Concat(f.path, []string{strconv.Itoa(i)})}) {
				return
			}
		}
	}
}

// entries yields the entries of a mapping, ordered by name.
func (f field) entries() iter.Seq2[string, field] {
	return func(yield func(string, field) bool) {
		m, _ := f.value.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !yield(name, field{m[name], slices.Concat(f.path, []string{name})}) {
				return
			}
		}
	}
}

func (f field) exists() bool { return f.value != nil }

// text returns a text or a number as text; "" for anything else.
func (f field) text() string {
	switch v := f.value.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func (f field) textOr(otherwise string) string {
	if s := f.text(); s != "" {
		return s
	}
	return otherwise
}

// isTrue reports whether the value is true, also as text.
func (f field) isTrue() bool { return f.value == true || f.value == "true" }

// isFalse reports whether the value is false, also as text; an absent one is not.
func (f field) isFalse() bool { return f.value == false || f.value == "false" }
