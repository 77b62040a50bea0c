package edit

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// insert adds content to the collection that f leads to, creating what is missing of it.
func (t *text) insert(f found, c content) (change, error) {
	l := t.layout(f)
	c, err := c.below(f.rest, l)
	if err != nil {
		return change{}, err
	}
	n := f.node()
	if err := canGrow(n, c); err != nil {
		return change{}, err
	}
	var splices []splice
	switch {
	case n.Kind == yaml.ScalarNode || len(n.Content) == 0:
		splices, err = t.fill(f, c, l)
	case isFlow(n):
		splices, err = t.insertFlow(n, c)
	default:
		splices, err = t.append(n, c)
	}
	want := changed(f, func(n *yaml.Node) { grow(n, c.node.Kind, c.children()) })
	return change{splices: splices, want: want}, err
}

// canGrow refuses content of the wrong kind, and keys that are there already.
func canGrow(n *yaml.Node, c content) error {
	switch {
	case isNull(n):
		if n.Style&yaml.TaggedStyle != 0 {
			return refuse(n.Line, "it has a tag (%s)", n.ShortTag())
		}
		return nil
	case n.Kind == yaml.ScalarNode:
		return refuse(n.Line, "it is a single value and has no fields or items")
	case n.Kind == yaml.MappingNode && c.node.Kind != n.Kind:
		return refuse(n.Line, "it is a mapping and has no items")
	case n.Kind == yaml.SequenceNode && c.node.Kind != n.Kind:
		return refuse(n.Line, "it is a list and has no fields")
	case n.Kind == yaml.SequenceNode:
		return nil
	}
	for i := 0; i < len(c.node.Content); i += 2 {
		key := c.node.Content[i]
		if key.Kind != yaml.ScalarNode {
			return refuse(n.Line, "what is inserted has a key that is no single value")
		}
		found, err := entry(n, key.Value)
		if err != nil {
			return err
		}
		if found >= 0 {
			return refuse(n.Content[found-1].Line, "%q is there already", key.Value)
		}
	}
	return nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// append adds content behind the last child of a block collection.
func (t *text) append(n *yaml.Node, c content) ([]splice, error) {
	entry, err := t.firstEntry(n)
	if err != nil {
		return nil, err
	}
	indent, err := t.indentation(entry)
	if err != nil {
		return nil, err
	}
	end, err := t.end(n)
	if err != nil {
		return nil, err
	}
	return t.below(end, indent, c)
}

// firstEntry returns where the first key or dash of a block collection stands.
func (t *text) firstEntry(n *yaml.Node) (int, error) {
	at, err := t.content(n)
	if err != nil {
		return 0, err
	}
	if n.Kind == yaml.SequenceNode {
		if t.data[at] != '-' {
			return 0, lost(n)
		}
		return at, nil
	}
	first, err := t.start(n.Content[0])
	if err != nil {
		return 0, err
	}
	if first != at {
		return 0, refuse(n.Line, `it begins with a key marked "?"`)
	}
	return at, nil
}

// below puts content under the line of an offset, where nothing but a comment may
// follow. A text without a line break at its end stays so where it can.
func (t *text) below(at, indent int, c content) ([]splice, error) {
	if !t.endsLine(at) {
		return nil, refuse(t.lineAt(at), "more follows on the same line")
	}
	brk := t.lineBreak(at)
	added := strings.Join(prefix(c.lines, strings.Repeat(" ", indent)), brk)
	next := t.nextLine(at)
	switch {
	case t.lineEnd(at) < next:
	case c.endsInBlock():
		return []splice{{next, next, brk + added + brk}}, nil
	default:
		return []splice{{next, next, brk + added}}, nil
	}
	return []splice{{next, next, added + brk}}, nil
}

// fill makes a collection of a null or of empty brackets.
func (t *text) fill(f found, c content, l layout) ([]splice, error) {
	n, p := f.node(), f.parent()
	from, err := t.content(n)
	if err != nil {
		return nil, err
	}
	to, err := t.end(n)
	if err != nil {
		return nil, err
	}
	if !isEmpty(n) && n.Kind != yaml.ScalarNode && strings.TrimSpace(string(t.data[from+1:to-1])) != "" {
		return nil, refuse(n.Line, "there is a comment between its brackets")
	}
	if p == nil || isFlow(p) || f.inFlow() || !t.endsLine(to) || !t.afterIndicator(f, from) {
		return t.fillFlow(f, c, from, to)
	}
	indent, err := t.indentBelow(p, c, l)
	if err != nil {
		return nil, err
	}
	splices, err := t.below(to, indent, c)
	if from == to || err != nil {
		return splices, err
	}
	for t.data[from-1] == ' ' {
		from--
	}
	return append([]splice{{from, to, ""}}, splices...), nil
}

// indentBelow returns how far content is indented as a child of a block collection.
func (t *text) indentBelow(p *yaml.Node, c content, l layout) (int, error) {
	entry, err := t.firstEntry(p)
	if err != nil {
		return 0, err
	}
	indent, err := t.indentation(entry)
	switch {
	case err != nil:
		return 0, err
	case p.Kind == yaml.SequenceNode:
		return indent + 2, nil
	case c.node.Kind == yaml.SequenceNode:
		return indent + l.list, nil
	}
	return indent + l.mapping, nil
}
