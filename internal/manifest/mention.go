package manifest

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// MentionLine returns the first line, from 1 and of the file, on which a
// scalar's text fulfils match; 0 where none does. Block scalars are looked at
// line by line. Keys count as well as values.
func (d *Document) MentionLine(match func(line string) bool) int {
	return mentionLine(d.Node, match, true, 0)
}

// ValueLine is MentionLine for values alone.
func (d *Document) ValueLine(match func(line string) bool) int {
	return mentionLine(d.Node, match, false, 0)
}

func mentionLine(n *yaml.Node, match func(string) bool, keys bool, depth int) int {
	if n == nil || depth > MaxDepth {
		return 0
	}
	if n.Kind == yaml.ScalarNode {
		return scalarMention(n, match)
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && !keys {
			continue
		}
		if line := mentionLine(child, match, keys, depth+1); line > 0 {
			return line
		}
	}
	return 0
}

func scalarMention(n *yaml.Node, match func(string) bool) int {
	first := n.Line
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		first++ // the text begins below its indicator
	}
	for i, line := range strings.Split(n.Value, "\n") {
		if !match(line) {
			continue
		}
		if n.Style&yaml.FoldedStyle != 0 {
			return first // folding has moved the lines
		}
		if n.Style&yaml.LiteralStyle == 0 {
			return n.Line
		}
		return first + i
	}
	return 0
}
