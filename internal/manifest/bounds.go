package manifest

import "go.yaml.in/yaml/v3"

// extent is how large a node is once its aliases are resolved.
type extent struct{ nodes, text, depth int }

// measure sums up extents. Each anchor is measured once, so that a document
// made to explode costs no more than its own size.
type measure struct {
	anchors map[*yaml.Node]extent
	open    map[*yaml.Node]bool
	cyclic  *yaml.Node
	deep    *yaml.Node
}

// checkBounds holds a document against MaxDepth, MaxNodes and MaxText.
func checkBounds(file string, root *yaml.Node) *Problem {
	m := measure{anchors: map[*yaml.Node]extent{}, open: map[*yaml.Node]bool{}}
	e := m.of(root, 0)
	switch {
	case m.cyclic != nil:
		return problemf(file, m.cyclic.Line, "anchor %q contains itself", m.cyclic.Value)
	case m.deep != nil:
		return problemf(file, m.deep.Line, "nested deeper than %d levels", MaxDepth)
	case e.depth > MaxDepth:
		return problemf(file, root.Line, "nested deeper than %d levels once its aliases are resolved", MaxDepth)
	case e.nodes > MaxNodes:
		return problemf(file, root.Line, "more than %d values once its aliases are resolved", MaxNodes)
	case e.text > MaxText:
		return problemf(file, root.Line, "more than %d bytes once its aliases are resolved", MaxText)
	}
	return nil
}

func (m *measure) of(n *yaml.Node, depth int) extent {
	if depth > MaxDepth {
		m.deep = n
		return extent{}
	}
	if n.Kind == yaml.AliasNode {
		return m.ofAlias(n, depth)
	}
	if n.Anchor != "" {
		m.open[n] = true
		defer delete(m.open, n)
	}
	e := extent{nodes: 1, text: len(n.Value)}
	for _, c := range n.Content {
		ce := m.of(c, depth+1)
		// Saturating keeps the sums from overflowing.
		e.nodes = min(e.nodes+ce.nodes, MaxNodes+1)
		e.text = min(e.text+ce.text, MaxText+1)
		e.depth = max(e.depth, ce.depth+1)
	}
	if n.Anchor != "" {
		m.anchors[n] = e
	}
	return e
}

func (m *measure) ofAlias(n *yaml.Node, depth int) extent {
	if m.open[n.Alias] {
		m.cyclic = n
		return extent{}
	}
	if e, ok := m.anchors[n.Alias]; ok {
		return e
	}
	return m.of(n.Alias, depth)
}
