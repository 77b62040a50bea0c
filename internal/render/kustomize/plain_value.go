package kustomize

import (
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/json"
)

// plainValue returns the content of a node as kustomize would have left it;
// false for what its passes through YAML may change, such as null, merge keys,
// tags that are written out, or text with unusual characters. Nothing of it is
// shared with another value.
func plainValue(n *yaml.Node, depth int) (any, bool) {
	for n.Kind == yaml.AliasNode && depth > 0 {
		n, depth = n.Alias, depth-1
	}
	if depth == 0 || n.Style&yaml.TaggedStyle != 0 || n.Style&yaml.FlowStyle != 0 && commented(n) {
		return nil, false
	}
	switch n.Kind {
	case yaml.MappingNode:
		return plainMapping(n, depth)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			value, ok := plainValue(item, depth-1)
			if !ok {
				return nil, false
			}
			list[i] = value
		}
		return list, true
	case yaml.ScalarNode:
		return plainScalar(n)
	}
	return nil, false
}

func plainMapping(n *yaml.Node, depth int) (any, bool) {
	fields := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || key.Style&^(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 || key.ShortTag() == "!!merge" {
			return nil, false
		}
		name, ok := plainScalar(key)
		text, isText := name.(string)
		if _, again := fields[text]; !ok || !isText || again || strings.Contains(text, "\n") {
			return nil, false
		}
		if fields[text], ok = plainValue(n.Content[i+1], depth-1); !ok {
			return nil, false
		}
	}
	return fields, true
}

// commented reports whether a comment stands in or at a node.
func commented(n *yaml.Node) bool {
	if n.HeadComment != "" || n.FootComment != "" {
		return true
	}
	for _, inner := range n.Content {
		if inner.LineComment != "" || commented(inner) {
			return true
		}
	}
	return false
}

// plainScalar returns a scalar's value.
func plainScalar(n *yaml.Node) (any, bool) {
	if !plainText(n) {
		return nil, false
	}
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle) != 0 || certainText(n.Value) {
		return n.Value, true
	}
	var value any
	if n.Style != 0 || n.Decode(&value) != nil {
		return nil, false
	}
	switch v := value.(type) {
	case string, bool:
		return v, true
	case int:
		return int64(v), true
	case float64:
		return plainNumber(v)
	}
	return nil, false
}

// plainNumber takes a number through JSON, where a whole one loses its point.
func plainNumber(f float64) (any, bool) {
	data, err := json.Marshal(f)
	if err != nil {
		return nil, false
	}
	var value any
	if json.Unmarshal(data, &value) != nil {
		return nil, false
	}
	return value, true
}

// plainText reports whether a scalar's text is written and read again as it is,
// whatever the library chooses for its style.
func plainText(n *yaml.Node) bool {
	multiline := false
	for _, r := range n.Value {
		switch {
		case r == '\n':
			multiline = true
		case r != '\t' && !unicode.IsPrint(r) || r == '\ufeff':
			return false
		}
	}
	if !multiline {
		return n.Style&yaml.FoldedStyle == 0
	}
	return n.Style&yaml.LiteralStyle != 0 && !strings.ContainsAny(n.Value[:1], " \t\n")
}

// certainText reports whether any version of YAML takes a plain scalar for text.
func certainText(s string) bool {
	if s == "" {
		return false
	}
	c := s[0]
	if c != '/' && c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
		return false
	}
	if len(s) > len("false") {
		return true
	}
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	return true
}
