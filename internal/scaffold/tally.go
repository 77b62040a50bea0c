package scaffold

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// tally counts what the objects of a repository say in one place, so that a new
// one can say what most say.
type tally struct {
	total  int
	counts map[string]int
	nodes  map[string]*yaml.Node
}

// The marks that stand for an application's own name and namespace, so that
// fields which repeat them are the same in all applications.
const (
	nameMark      = "\x00name"
	namespaceMark = "\x00namespace"
)

// add counts one object's answer; nil is one that says nothing. The names are
// those of the application that it belongs to.
func (t *tally) add(n *yaml.Node, name, namespace string) {
	t.total++
	if n == nil {
		return
	}
	plain := plainCopy(n, func(text string) string {
		switch {
		case name != "" && text == name:
			return nameMark
		case namespace != "" && text == namespace:
			return namespaceMark
		case name != "" && strings.HasPrefix(text, name+"-"):
			return nameMark + text[len(name):]
		}
		return text
	}, maxDepth)
	key := spell(plain)
	if t.counts == nil {
		t.counts, t.nodes = map[string]int{}, map[string]*yaml.Node{}
	}
	t.counts[key]++
	if t.nodes[key] == nil {
		t.nodes[key] = plain
	}
}

// addText counts a text.
func (t *tally) addText(text, name, namespace string) {
	if text == "" {
		t.add(nil, name, namespace)
		return
	}
	t.add(textNode(text), name, namespace)
}

// most returns the answer that more than half of all objects give.
func (t *tally) most(name, namespace string) *yaml.Node {
	for key, count := range t.counts {
		if count*2 > t.total {
			return named(t.nodes[key], name, namespace)
		}
	}
	return nil
}

// commonest returns the answer that is given most often, the first by its
// spelling of several; nil where there is none.
func (t *tally) commonest(name, namespace string) *yaml.Node {
	best := ""
	for key, count := range t.counts {
		if best == "" || count > t.counts[best] || count == t.counts[best] && key < best {
			best = key
		}
	}
	if best == "" {
		return nil
	}
	return named(t.nodes[best], name, namespace)
}

// commonestText is commonest of texts, or else the given one.
func (t *tally) commonestText(name, namespace, otherwise string) string {
	if n := t.commonest(name, namespace); n != nil {
		return n.Value
	}
	return otherwise
}

// silent reports whether most objects say nothing.
func (t *tally) silent() bool {
	said := 0
	for _, count := range t.counts {
		said += count
	}
	return said*2 < t.total
}

// maxDepth bounds how deep fields are copied.
const maxDepth = 64

// plainCopy copies a value without comments and anchors, its scalars changed.
func plainCopy(n *yaml.Node, change func(string) string, depth int) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	c := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: change(n.Value), Style: n.Style &^ yaml.FlowStyle}
	if depth == 0 {
		return c
	}
	for _, child := range n.Content {
		c.Content = append(c.Content, plainCopy(child, change, depth-1))
	}
	return c
}

// named puts names in the place of their marks.
func named(n *yaml.Node, name, namespace string) *yaml.Node {
	return plainCopy(n, strings.NewReplacer(namespaceMark, namespace, nameMark, name).Replace, maxDepth)
}

// spell writes a value so that equal ones are equal texts, whatever their
// quotes and the order of their fields.
func spell(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		var entries []string
		for i := 0; i+1 < len(n.Content); i += 2 {
			entries = append(entries, spell(n.Content[i])+":"+spell(n.Content[i+1]))
		}
		slices.Sort(entries)
		return "{" + strings.Join(entries, ",") + "}"
	case yaml.SequenceNode:
		var items []string
		for _, item := range n.Content {
			items = append(items, spell(item))
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	return n.ShortTag() + " " + n.Value
}
