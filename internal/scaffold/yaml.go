package scaffold

import (
	"bytes"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fields makes a mapping of names and values by turns. A value is a text, a
// number, a truth value, a list of texts, a node or a list of nodes; nil and
// what is empty is left out.
func fields(pairs ...any) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; i+1 < len(pairs); i += 2 {
		if n := nodeOf(pairs[i+1]); n != nil {
			m.Content = append(m.Content, textNode(pairs[i].(string)), n)
		}
	}
	return m
}

func nodeOf(value any) *yaml.Node {
	switch v := value.(type) {
	case *yaml.Node:
		if v == nil || v.Kind != yaml.ScalarNode && len(v.Content) == 0 {
			return nil
		}
		return v
	case string:
		if v == "" {
			return nil
		}
		return textNode(v)
	case int:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(v)}
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)}
	case []string:
		var items []*yaml.Node
		for _, text := range v {
			items = append(items, textNode(text))
		}
		return nodeOf(items)
	case []*yaml.Node:
		if len(v) == 0 {
			return nil
		}
		return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: v}
	}
	return nil
}

// textNode makes a text; one with a template in it is quoted.
func textNode(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if strings.HasPrefix(text, "{{") {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// get returns an entry of a mapping.
func get(m *yaml.Node, name string) *yaml.Node {
	if m == nil || m.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == name {
			return m.Content[i+1]
		}
	}
	return nil
}

// document is one YAML document to be written.
type document struct {
	*yaml.Node
	// comment stands above it, as most files of the repository have it.
	comment string
}

// write writes documents to one text, each behind a line of three hyphens.
func write(docs ...document) (string, error) {
	var text bytes.Buffer
	for _, d := range docs {
		text.WriteString("---\n")
		if d.comment != "" {
			text.WriteString(d.comment + "\n")
		}
		encoder := yaml.NewEncoder(&text)
		encoder.SetIndent(2)
		if err := encoder.Encode(d.Node); err != nil {
			return "", err
		}
		if err := encoder.Close(); err != nil {
			return "", err
		}
	}
	return text.String(), nil
}
