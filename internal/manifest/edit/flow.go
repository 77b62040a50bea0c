package edit

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// flowItems writes the children of a collection in flow style, as JSON where
// that is what surrounds them.
func flowItems(n *yaml.Node, json bool) ([]string, error) {
	var items []string
	if n.Kind == yaml.SequenceNode {
		for _, c := range n.Content {
			item, err := flowText(c, json)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		return items, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, err := flowText(n.Content[i], json)
		if err != nil {
			return nil, err
		}
		value, err := flowText(n.Content[i+1], json)
		if err != nil {
			return nil, err
		}
		items = append(items, key+": "+value)
	}
	return items, nil
}

// flowText writes a value in flow style. What does not fit on a line is refused.
func flowText(n *yaml.Node, json bool) (string, error) {
	if n.HeadComment+n.LineComment+n.FootComment != "" {
		return "", refuse(0, "a comment cannot be inserted between brackets")
	}
	if n.Style&yaml.TaggedStyle != 0 {
		return "", refuse(0, "a tag cannot be inserted between brackets")
	}
	switch n.Kind {
	case yaml.ScalarNode:
		return flowScalar(n, json)
	case yaml.MappingNode, yaml.SequenceNode:
		items, err := flowItems(n, json)
		if n.Kind == yaml.MappingNode {
			return "{" + strings.Join(items, ", ") + "}", err
		}
		return "[" + strings.Join(items, ", ") + "]", err
	}
	return "", refuse(0, "an alias cannot be inserted between brackets")
}

func flowScalar(n *yaml.Node, json bool) (string, error) {
	switch {
	case strings.Contains(n.Value, "\n"):
		return "", refuse(0, "text of several lines cannot be inserted between brackets")
	case isNull(n):
		return "null", nil
	case n.ShortTag() == "!!str":
		s := scalar{"!!str", n.Value}
		switch {
		case n.Style&yaml.DoubleQuotedStyle != 0:
			return doubleQuoted(n.Value), nil
		case n.Style&yaml.SingleQuotedStyle != 0 && !json:
			return s.single(), nil
		}
		return s.text(true, json), nil
	}
	return n.Value, nil
}

// insertFlow adds content behind the last child of a flow collection that has some.
func (t *text) insertFlow(n *yaml.Node, c content) ([]splice, error) {
	at, err := t.content(n)
	if err != nil {
		return nil, err
	}
	if !t.hasBrackets(n, at) {
		return nil, refuse(n.Line, "it has no brackets of its own")
	}
	items, err := flowItems(c.node, isJSON(n))
	if err != nil {
		return nil, err
	}
	end, err := t.end(n.Content[len(n.Content)-1])
	if err != nil {
		return nil, err
	}
	first := n.Content[len(n.Content)-1]
	if n.Kind == yaml.MappingNode {
		first = n.Content[len(n.Content)-2]
	}
	start, err := t.start(first)
	if err != nil {
		return nil, err
	}
	indent := t.data[t.lineStart(start):start]
	if strings.Trim(string(indent), " \t") != "" {
		return []splice{{end, end, ", " + strings.Join(items, ", ")}}, nil
	}
	return t.flowLines(end, t.lineBreak(start)+string(indent), items), nil
}

// flowLines adds items behind one that begins its line; each begins with lead.
func (t *text) flowLines(end int, lead string, items []string) []splice {
	added := lead + strings.Join(items, ","+lead)
	rest := strings.TrimLeft(t.restOfLine(end), " \t")
	hasComma := strings.HasPrefix(rest, ",")
	rest = strings.TrimLeft(strings.TrimPrefix(rest, ","), " \t")
	eol := t.lineEnd(end)
	switch {
	case !strings.HasPrefix(rest, "#"):
		return []splice{{end, end, "," + added}}
	case hasComma:
		return []splice{{eol, eol, added + ","}}
	}
	return []splice{{end, end, ","}, {eol, eol, added}}
}

// fillFlow writes content in brackets in place of a null or of empty brackets.
func (t *text) fillFlow(f found, c content, from, to int) ([]splice, error) {
	n := f.node()
	items, err := flowItems(c.node, f.parent() != nil && isJSON(f.parent()))
	if err != nil {
		return nil, err
	}
	brackets := "{}"
	if c.node.Kind == yaml.SequenceNode {
		brackets = "[]"
	}
	written := brackets[:1] + strings.Join(items, ", ") + brackets[1:]
	if from == to {
		if !t.afterIndicator(f, from) {
			return nil, refuse(n.Line, "the field has no value, nor a colon")
		}
		if t.data[from-1] != ' ' {
			written = " " + written
		}
	}
	return []splice{{from, to, written}}, nil
}
