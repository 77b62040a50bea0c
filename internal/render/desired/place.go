package desired

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/render"
)

// Document returns the document that the object stands in, and the path to it
// inside: a List's item, or the generator that makes it. It is nil where the
// object stands in no file, and for what a chart renders.
func (o *Object) Document() (*manifest.Document, []string) {
	if o.Release != nil || o.origin.File == "" {
		return nil, nil
	}
	return o.origin.In(o.state.origins.of(o.origin.File), render.KeyOf(o.Unstructured))
}

// File returns the file that the object stands in, or "".
func (o *Object) File() string {
	if o.Release != nil {
		return o.Release.Object.File()
	}
	return o.origin.File
}

// Place returns where the object stands, or where the value of one of its
// fields comes from: its own document, or the patch that sets the field. List
// items are named by their index. Where the field's own place is not known it
// is that of the nearest field above it. What a chart renders stands where the
// release's values name the field's value, or else where the release stands.
func (o *Object) Place(path ...string) domain.Place {
	if o.Release != nil {
		return o.Release.placeOf(o, path)
	}
	if len(path) > 0 {
		if doc, at := o.resolve(path); doc != nil {
			return doc.Place(at...)
		}
	}
	doc, prefix := o.Document()
	if doc == nil {
		return domain.Place{File: o.origin.File, Line: o.origin.Line}
	}
	if len(path) == 0 && len(prefix) == 0 {
		return domain.Place{File: doc.File, Line: doc.Line}
	}
	return doc.Place(append(slices.Clip(prefix), path...)...)
}

// Node returns the document and node that give a field its value, aliases
// resolved; nil where no file does.
func (o *Object) Node(path ...string) (*manifest.Document, *yaml.Node) {
	doc, at := o.resolve(path)
	if doc == nil {
		return nil, nil
	}
	node, ok := doc.Find(at...)
	if !ok {
		return nil, nil
	}
	return doc, node
}

// resolve finds the document that gives a field its value: the last patch that
// sets it to what it is, else the object's own document, else any patch that
// names it at all.
func (o *Object) resolve(path []string) (*manifest.Document, []string) {
	built, _ := value(o.Object, path)
	layers := o.layers()
	for _, l := range layers {
		if at, ok := l.find(path, built, true); ok {
			return l.doc, at
		}
	}
	if doc, prefix := o.Document(); doc != nil {
		at := append(slices.Clip(prefix), path...)
		if _, ok := doc.Find(at...); ok {
			return doc, at
		}
	}
	for _, l := range layers {
		if at, ok := l.find(path, built, false); ok {
			return l.doc, at
		}
	}
	return nil, nil
}

// mention returns where a text is first used in the object's document or the
// patches of it; the object's place where it is not found.
func (o *Object) mention(text string) domain.Place {
	contains := func(line string) bool { return strings.Contains(line, text) }
	if doc, _ := o.Document(); doc != nil {
		if line := doc.MentionLine(contains); line > 0 {
			return domain.Place{File: doc.File, Line: line}
		}
	}
	for _, l := range o.layers() {
		if line := l.doc.MentionLine(contains); line > 0 {
			return domain.Place{File: l.doc.File, Line: line}
		}
	}
	return o.Place()
}

// value returns a field of an object's content.
func value(v any, path []string) (any, bool) {
	for _, step := range path {
		switch in := v.(type) {
		case map[string]any:
			next, ok := in[step]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, ok := index(step, len(in))
			if !ok {
				return nil, false
			}
			v = in[i]
		default:
			return nil, false
		}
	}
	return v, true
}

func index(step string, length int) (int, bool) {
	var i int
	if _, err := fmt.Sscanf(step, "%d", &i); err != nil || i < 0 || i >= length {
		return 0, false
	}
	return i, true
}

// agrees reports whether a node may be where a built value comes from.
func agrees(n *yaml.Node, built any) bool {
	if n.Kind != yaml.ScalarNode {
		switch built.(type) {
		case map[string]any:
			return n.Kind == yaml.MappingNode
		case []any:
			return n.Kind == yaml.SequenceNode
		}
		return false
	}
	if strings.Contains(n.Value, "${") {
		return true
	}
	return built != nil && fmt.Sprint(built) == n.Value
}
