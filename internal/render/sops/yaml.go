package sops

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// errYAML stands for the cause, which may cite the content.
var errYAML = errors.New("it is no valid YAML")

func readYAML(data []byte) ([]mapping, *metadata, error) {
	var branches []mapping
	var about any
	found := false
	for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, errYAML
		}
		root, err := yamlDocument(&document)
		if err != nil {
			return nil, nil, err
		}
		// Every document carries the metadata, which is the same in all.
		if m, ok := root.take("sops"); ok && !found {
			about, found = m, true
		}
		branches = append(branches, root)
	}
	m, err := newMetadata(about, found)
	return branches, m, err
}

func yamlDocument(document *yaml.Node) (mapping, error) {
	root := yamlComments(nil, document.HeadComment, document.LineComment)
	for _, node := range document.Content {
		if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" {
			continue
		}
		value, err := yamlValue(node, false, 0)
		if err != nil {
			return nil, err
		}
		fields, ok := value.(mapping)
		if !ok {
			return nil, errors.New("a document is no mapping")
		}
		root = append(root, fields...)
	}
	return append(root, yamlComments(nil, document.FootComment)...), nil
}

// yamlValue reads a node with the comments at it, unless whoever holds the
// node has taken those already.
func yamlValue(node *yaml.Node, taken bool, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	switch node.Kind {
	case yaml.AliasNode:
		return yamlValue(node.Alias, false, depth+1)
	case yaml.MappingNode:
		return yamlMapping(node, taken, depth)
	case yaml.SequenceNode:
		return yamlList(node, taken, depth)
	}
	var value any
	if err := node.Decode(&value); err != nil {
		return nil, errYAML
	}
	return value, nil
}

func yamlMapping(node *yaml.Node, taken bool, depth int) (mapping, error) {
	fields := mapping{}
	if !taken {
		fields = yamlComments(fields, node.HeadComment, node.LineComment)
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" && key.ShortTag() != "!!merge" {
			return nil, errors.New("a key is no text")
		}
		flat := value.Kind == yaml.ScalarNode || value.Kind == yaml.AliasNode
		fields = yamlComments(fields, key.HeadComment, key.LineComment)
		if flat {
			fields = yamlComments(fields, value.HeadComment, value.LineComment)
		}
		content, err := yamlValue(value, flat, depth+1)
		if err != nil {
			return nil, err
		}
		fields = append(fields, item{key: key.Value, value: content})
		if flat {
			fields = yamlComments(fields, value.FootComment)
		}
		fields = yamlComments(fields, key.FootComment)
	}
	if !taken {
		fields = yamlComments(fields, node.FootComment)
	}
	return fields, nil
}

func yamlList(node *yaml.Node, taken bool, depth int) ([]any, error) {
	var list []any
	note := func(texts ...string) {
		for _, it := range yamlComments(nil, texts...) {
			list = append(list, comment(it.key))
		}
	}
	if !taken {
		note(node.HeadComment, node.LineComment)
	}
	for _, element := range node.Content {
		note(element.HeadComment, element.LineComment)
		value, err := yamlValue(element, true, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
		note(element.FootComment)
	}
	if !taken {
		note(node.FootComment)
	}
	return list, nil
}

// yamlComments appends comments, a line each, without their sign.
func yamlComments(m mapping, texts ...string) mapping {
	for _, text := range texts {
		for line := range strings.SplitSeq(text, "\n") {
			if line != "" {
				m = append(m, item{key: line[1:], isComment: true})
			}
		}
	}
	return m
}

// writeYAML writes documents with their comments, indented as SOPS does.
func writeYAML(branches []mapping) ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(4)
	for _, branch := range branches {
		root, err := yamlNode(branch)
		if err != nil {
			return nil, err
		}
		if err := encoder.Encode(&yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{root}}); err != nil {
			return nil, errYAML
		}
	}
	if err := encoder.Close(); err != nil {
		return nil, errYAML
	}
	return out.Bytes(), nil
}

func yamlNode(value any) (*yaml.Node, error) {
	node := &yaml.Node{}
	switch value := value.(type) {
	case mapping:
		node.Kind = yaml.MappingNode
		pending := pendingComments{holder: node}
		for _, it := range value {
			if it.isComment {
				pending.add(it.key)
				continue
			}
			content, err := yamlNode(it.value)
			if err != nil {
				return nil, err
			}
			key := &yaml.Node{}
			if err := key.Encode(it.key); err != nil {
				return nil, errYAML
			}
			pending.before(key)
			node.Content = append(node.Content, key, content)
		}
		pending.end()
		return node, nil
	case []any:
		node.Kind = yaml.SequenceNode
		pending := pendingComments{holder: node}
		for _, element := range value {
			if c, ok := element.(comment); ok {
				pending.add(string(c))
				continue
			}
			content, err := yamlNode(element)
			if err != nil {
				return nil, err
			}
			pending.before(content)
			node.Content = append(node.Content, content)
		}
		pending.end()
		return node, nil
	}
	if err := node.Encode(value); err != nil {
		return nil, errYAML
	}
	return node, nil
}

// pendingComments are those that wait for the node they stand before. Those
// before the first node belong to its holder.
type pendingComments struct {
	holder, last *yaml.Node
	lines        []string
}

func (p *pendingComments) add(text string) { p.lines = append(p.lines, "#"+text) }

func (p *pendingComments) before(node *yaml.Node) {
	at := node
	if p.last == nil {
		at = p.holder
	}
	at.HeadComment = joinLines(strings.Join(p.lines, "\n"), at.HeadComment)
	p.lines, p.last = nil, node
}

func (p *pendingComments) end() {
	comments := strings.Join(p.lines, "\n")
	if p.last == nil {
		p.holder.HeadComment = joinLines(comments, p.holder.HeadComment)
		return
	}
	p.last.FootComment = joinLines(p.last.FootComment, comments)
}

func joinLines(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n" + b
}
