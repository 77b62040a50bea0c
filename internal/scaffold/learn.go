package scaffold

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"hearth/internal/manifest"
)

// written is an object of an application as it stands in the repository.
type written struct {
	*manifest.Document
	name, namespace string
}

// at returns a field of it, or nil.
func (w written) at(path ...string) *yaml.Node {
	n, ok := w.Find(path...)
	if !ok {
		return nil
	}
	return n
}

// learnFields returns the fields below a path that most objects have in common,
// in the order given and then of the alphabet. What is computed for each
// object is left out. A field that must be there is what it is most often.
func (b *builder) learnFields(from []written, at []string, order, computed, required []string) *yaml.Node {
	tallies := map[string]*tally{}
	for _, w := range from {
		for _, name := range fieldNames(w.at(at...)) {
			if !slices.Contains(computed, name) {
				tallies[name] = &tally{}
			}
		}
	}
	names := slices.Clone(order)
	for name := range tallies {
		if !slices.Contains(order, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names[len(order):])
	result := fields()
	for _, name := range names {
		t := tallies[name]
		if t == nil {
			continue
		}
		for _, w := range from {
			t.add(w.at(append(slices.Clip(at), name)...), w.name, w.namespace)
		}
		value := t.most(b.Name, b.Namespace)
		if value == nil && slices.Contains(required, name) && !t.silent() {
			value = t.commonest(b.Name, b.Namespace)
		}
		set(result, name, value)
	}
	return result
}

func fieldNames(m *yaml.Node) []string {
	if m == nil || m.Kind != yaml.MappingNode {
		return nil
	}
	var names []string
	for i := 0; i+1 < len(m.Content); i += 2 {
		names = append(names, m.Content[i].Value)
	}
	return names
}

// set gives a mapping an entry, or an entry another value; nil and what is
// empty is not set.
func set(m *yaml.Node, name string, value any) {
	n := nodeOf(value)
	if n == nil {
		return
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == name {
			m.Content[i+1] = n
			return
		}
	}
	m.Content = append(m.Content, textNode(name), n)
}

// sorted puts the entries of a mapping into an order; others follow as they are.
func sorted(m *yaml.Node, order []string) *yaml.Node {
	result := fields()
	for _, name := range order {
		set(result, name, get(m, name))
	}
	for _, name := range fieldNames(m) {
		if !slices.Contains(order, name) {
			set(result, name, get(m, name))
		}
	}
	return result
}
