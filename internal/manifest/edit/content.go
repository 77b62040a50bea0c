package edit

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/manifest"
)

// content is what is inserted: the entries of a block mapping or the items of a
// block list, without indentation.
type content struct {
	lines []string
	node  *yaml.Node // a mapping or list of what is inserted
}

// pair returns a mapping entry with a single value.
func pair(key string, value scalar) content {
	k := scalar{"!!str", key}
	return content{
		lines: []string{k.text(false, false) + ": " + value.text(false, false)},
		node:  &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{k.node(), value.node()}},
	}
}

// parseContent reads what an edit inserts.
func parseContent(block string) (content, error) {
	docs, err := manifest.Parse("", []byte(block+"\n"))
	if err != nil {
		return content{}, refuse(0, "what is inserted cannot be read: %s", manifest.Problems(err)[0].Message)
	}
	if len(docs) != 1 || oddBreak([]byte(block)) >= 0 || strings.Contains(block, "\r") {
		return content{}, refuse(0, "what is inserted is not one piece of YAML")
	}
	root := docs[0].Node
	if root.Kind == yaml.ScalarNode || isFlow(root) || root.Column != 1 || root.Style&yaml.TaggedStyle != 0 {
		return content{}, refuse(0, "what is inserted is neither a block mapping nor a block list without indentation")
	}
	if hasAnchors(root) {
		return content{}, refuse(0, "what is inserted has anchors, aliases or merge keys")
	}
	return content{lines: strings.Split(block, "\n"), node: root}, nil
}

func hasAnchors(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Kind == yaml.ScalarNode && isMerge(n) {
		return true
	}
	for _, c := range n.Content {
		if hasAnchors(c) {
			return true
		}
	}
	return false
}

// below returns content as the value of keys, one in the other.
func (c content) below(keys []string, l layout) (content, error) {
	for i := len(keys) - 1; i >= 0; i-- {
		if _, isIndex := index(keys[i]); isIndex && i > 0 {
			return content{}, refuse(0, "%s is missing, and whether it should be a list is not known", spell(keys[:i]))
		}
		key := scalar{"!!str", keys[i]}
		by := l.mapping
		if c.node.Kind == yaml.SequenceNode {
			by = l.list
		}
		c = content{
			lines: append([]string{key.text(false, false) + ":"}, prefix(c.lines, strings.Repeat(" ", by))...),
			node:  &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{key.node(), c.node}},
		}
	}
	return c, nil
}

// endsInBlock reports whether the last value is a block scalar, whose last line
// needs its line break.
func (c content) endsInBlock() bool {
	n := c.node
	for n.Kind != yaml.ScalarNode && len(n.Content) > 0 && !isFlow(n) {
		n = n.Content[len(n.Content)-1]
	}
	return n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
}

// children returns copies of what is to be appended to a collection.
func (c content) children() []*yaml.Node { return clone(c.node).Content }
