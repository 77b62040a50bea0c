package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Bounds of one file.
const (
	// MaxSize is the largest file, in bytes, that is read.
	MaxSize = 10 << 20
	// MaxDepth is how deeply mappings and lists may be nested.
	MaxDepth = 100
	// MaxNodes is how many nodes a document may have once its aliases are resolved.
	MaxNodes = 1 << 19
	// MaxText is how much text, in bytes, a document may hold once its aliases are resolved.
	MaxText = 4 * MaxSize
)

// Parse reads the documents of a YAML stream; empty ones are left out. The
// file is what places name. The error joins a *Problem for each thing that is
// wrong; the documents that could be read are returned beside it. A mapping
// that gives a key twice is a problem, but its document is returned: the last
// value counts.
func Parse(file string, data []byte) ([]*Document, error) {
	if len(data) > MaxSize {
		return nil, problemf(file, 0, "the file has %d bytes; more than %d are not read", len(data), MaxSize)
	}
	if !utf8.Valid(data) {
		return nil, problemf(file, firstInvalid(data), "the text is not UTF-8")
	}
	var docs []*Document
	var problems []error
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var node yaml.Node
		err := decode(decoder, &node)
		if errors.Is(err, io.EOF) {
			return docs, errors.Join(problems...)
		}
		if err != nil {
			return docs, errors.Join(append(problems, syntaxProblem(file, data, err))...)
		}
		if len(node.Content) != 1 || isEmpty(node.Content[0]) {
			continue
		}
		root := node.Content[0]
		if p := checkBounds(file, root); p != nil {
			problems = append(problems, p)
			continue
		}
		for _, p := range duplicateKeys(file, root) {
			problems = append(problems, p)
		}
		docs = append(docs, &Document{File: file, Line: root.Line, Node: root})
	}
}

// decode reads the next document. The parser panics on some malformed input
// that it should refuse; to a caller that is one more syntax error.
func decode(decoder *yaml.Decoder, node *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: the parser gave up: %v", r)
		}
	}()
	return decoder.Decode(node)
}

func isEmpty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// firstInvalid returns the line of the first byte that is not UTF-8.
func firstInvalid(data []byte) int {
	line := 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		data = data[size:]
	}
	return line
}

// duplicateKeys reports each key that a mapping gives again.
func duplicateKeys(file string, n *yaml.Node) []*Problem {
	var problems []*Problem
	if n.Kind == yaml.MappingNode {
		first := make(map[string]int, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode || isMerge(key) {
				continue
			}
			if line, again := first[key.Value]; again {
				problems = append(problems, problemf(file, key.Line, "key %q is given again, first in line %d", key.Value, line))
				continue
			}
			first[key.Value] = key.Line
		}
	}
	for _, c := range n.Content {
		problems = append(problems, duplicateKeys(file, c)...)
	}
	return problems
}

func isMerge(key *yaml.Node) bool { return key.ShortTag() == "!!merge" }
