package manifest

import (
	"encoding/json"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
)

// Document is one YAML document. It is read-only; all methods may be called
// concurrently.
type Document struct {
	File string     // as given to Parse
	Line int        // of its first value, from 1
	Node *yaml.Node // its root; mostly a mapping
}

// APIVersion returns the document's apiVersion, or "".
func (d *Document) APIVersion() string { return d.Text("apiVersion") }

// Group returns the API group; "" for the core group and for what is no object.
func (d *Document) Group() string {
	group, _, ok := strings.Cut(d.APIVersion(), "/")
	if !ok {
		return ""
	}
	return group
}

// Kind returns the document's kind, or "".
func (d *Document) Kind() string { return d.Text("kind") }

// Name returns the object's name, or "".
func (d *Document) Name() string { return d.Text("metadata", "name") }

// Namespace returns the namespace that the document itself names, or "".
// What applies it may set another.
func (d *Document) Namespace() string { return d.Text("metadata", "namespace") }

// Ref returns the object as the document itself names it.
func (d *Document) Ref() domain.Ref {
	return domain.Ref{Kind: d.Kind(), Namespace: d.Namespace(), Name: d.Name()}
}

// IsObject reports whether the document is a Kubernetes object: it has an
// apiVersion, a kind and a name.
func (d *Document) IsObject() bool {
	return d.APIVersion() != "" && d.Kind() != "" && d.Name() != ""
}

// Find returns the value at a field path, aliases and merge keys resolved.
// List items are named by their index, from 0.
func (d *Document) Find(path ...string) (value *yaml.Node, ok bool) {
	n, _, found := walk(d.Node, path)
	return n, found == len(path)
}

// Text returns the scalar at a field path as it is written; "" where there is
// none or where it is null.
func (d *Document) Text(path ...string) string {
	n, ok := d.Find(path...)
	if !ok || n.Kind != yaml.ScalarNode || isEmpty(n) {
		return ""
	}
	return n.Value
}

// FieldLine returns the line of a field: of its key in a mapping, of the item in a
// list. Where the path leads nowhere, it is the line of the last field on the
// way that exists.
func (d *Document) FieldLine(path ...string) int {
	_, line, found := walk(d.Node, path)
	if found == 0 {
		return d.Line
	}
	return line
}

// Place returns file and line of a field, as FieldLine does.
func (d *Document) Place(path ...string) domain.Place {
	return domain.Place{File: d.File, Line: d.FieldLine(path...)}
}

// walk follows a path as far as it leads, and returns the value reached, the
// line of its key or item, and how many steps were found.
func walk(n *yaml.Node, path []string) (value *yaml.Node, line, found int) {
	value, line = resolve(n), n.Line
	for _, step := range path {
		next, at := child(value, step)
		if next == nil {
			return value, line, found
		}
		value, line = resolve(next), at
		found++
	}
	return value, line, found
}

func child(n *yaml.Node, step string) (value *yaml.Node, line int) {
	switch n.Kind {
	case yaml.MappingNode:
		return field(n, step, MaxDepth)
	case yaml.SequenceNode:
		i, err := strconv.Atoi(step)
		if err != nil || i < 0 || i >= len(n.Content) {
			return nil, 0
		}
		return n.Content[i], n.Content[i].Line
	}
	return nil, 0
}

// field looks a key up: the last of equal keys, else in what is merged.
func field(n *yaml.Node, name string, depth int) (value *yaml.Node, line int) {
	for i := len(n.Content) - 2; i >= 0; i -= 2 {
		if key := n.Content[i]; key.Value == name && key.Kind == yaml.ScalarNode && !isMerge(key) {
			return n.Content[i+1], key.Line
		}
	}
	if depth == 0 {
		return nil, 0
	}
	for _, merged := range merges(n) {
		if value, line := field(merged, name, depth-1); value != nil {
			return value, line
		}
	}
	return nil, 0
}

// merges returns the mappings that a mapping merges, the strongest first.
func merges(n *yaml.Node) []*yaml.Node {
	var list []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			continue
		}
		source := resolve(n.Content[i+1])
		candidates := []*yaml.Node{source}
		if source.Kind == yaml.SequenceNode {
			candidates = source.Content
		}
		for _, c := range candidates {
			if c = resolve(c); c.Kind == yaml.MappingNode {
				list = append(list, c)
			}
		}
	}
	return list
}

// resolve follows aliases to the value that they stand for.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

// Decode reads the document into v by its JSON tags, as Kubernetes types are
// read. Fields that v does not have are ignored.
func (d *Document) Decode(v any) error {
	data, err := json.Marshal(value(d.Node))
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return problemf(d.File, d.Line, "%s does not have the expected shape: %s", d.Ref(), shape(err))
	}
	return nil
}

// shape tells a decoding error without the value that caused it.
func shape(err error) string {
	if e, ok := err.(*json.UnmarshalTypeError); ok {
		return "field " + e.Field + " is no " + e.Type.String()
	}
	return "a field cannot be read"
}
