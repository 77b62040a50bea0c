package manifest

import (
	"math"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Object returns the document's mapping as Kubernetes' unstructured objects
// hold theirs: map[string]any, []any, string, bool, int64, float64 and nil. The
// caller owns it. A document that is no mapping gives nil.
func (d *Document) Object() map[string]any {
	m, _ := value(d.Node).(map[string]any)
	return m
}

// Value returns a field as Object does; ok is false where there is none.
func (d *Document) Value(path ...string) (v any, ok bool) {
	n, ok := d.Find(path...)
	if !ok {
		return nil, false
	}
	return value(n), true
}

// value converts a node whose bounds have been checked.
func value(n *yaml.Node) any {
	n = resolve(n)
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		fill(m, n, MaxDepth)
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, c := range n.Content {
			list[i] = value(c)
		}
		return list
	case yaml.ScalarNode:
		return scalar(n)
	}
	return nil
}

// fill sets the keys of a mapping, and those that it merges where it has none.
func fill(m map[string]any, n *yaml.Node, depth int) {
	own := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := resolve(n.Content[i])
		if isMerge(key) || key.Kind != yaml.ScalarNode {
			continue
		}
		if _, merged := m[key.Value]; merged && !own[key.Value] {
			continue
		}
		m[key.Value] = value(n.Content[i+1])
		own[key.Value] = true
	}
	if depth == 0 {
		return
	}
	for _, merged := range merges(n) {
		fill(m, merged, depth-1)
	}
}

// scalar reads a scalar as JSON would hold it. What JSON cannot hold (dates,
// infinities, binary data) stays the text that it is.
func scalar(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		var b bool
		if n.Decode(&b) == nil {
			return b
		}
	case "!!int":
		var i int64
		if n.Decode(&i) == nil {
			return i
		}
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
	case "!!float":
		var f float64
		if n.Decode(&f) == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f
		}
	}
	return n.Value
}
