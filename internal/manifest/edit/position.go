package edit

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const quotedOrBlock = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// isEmpty reports whether a scalar is written as nothing at all.
func isEmpty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style&quotedOrBlock == 0
}

func isFlow(n *yaml.Node) bool { return n.Style&yaml.FlowStyle != 0 }

// lost is what is said where the text is not what the parser says it is.
func lost(n *yaml.Node) error {
	return refuse(n.Line, "the way it is written is not understood")
}

// start returns where a node begins: at its anchor or tag, else at its content.
func (t *text) start(n *yaml.Node) (int, error) {
	if n.Line < 1 || n.Line > len(t.lines) {
		return 0, lost(n)
	}
	at := t.lines[n.Line-1]
	for range n.Column - 1 {
		if at >= len(t.data) {
			return 0, lost(n)
		}
		_, size := utf8.DecodeRune(t.data[at:])
		at += size
	}
	return at, nil
}

// content returns where a node's content begins, behind its anchor and tag. That
// of an empty scalar is where it would stand.
func (t *text) content(n *yaml.Node) (int, error) {
	at, err := t.start(n)
	if err != nil {
		return 0, err
	}
	if n.Kind == yaml.MappingNode && len(n.Content) > 0 {
		// An anchor there would be that of the first key.
		first, err := t.start(n.Content[0])
		if err != nil || first == at {
			return at, err
		}
	}
	if isEmpty(n) {
		return t.skipProperties(at), nil
	}
	for at < len(t.data) && (t.data[at] == '&' || t.data[at] == '!') {
		at = t.skipBlank(t.skipProperties(at))
	}
	if at == len(t.data) {
		return 0, lost(n)
	}
	return at, nil
}

// skipProperties returns the offset behind an anchor and a tag on one line.
func (t *text) skipProperties(at int) int {
	end := at
	for at < len(t.data) && (t.data[at] == '&' || t.data[at] == '!') {
		stop := " \t\r\n,]}"
		if bytes.HasPrefix(t.data[at:], []byte("!<")) {
			stop = " \t\r\n"
		}
		end = at
		for end < len(t.data) && strings.IndexByte(stop, t.data[end]) < 0 {
			end++
		}
		at = end
		for at < len(t.data) && (t.data[at] == ' ' || t.data[at] == '\t') {
			at++
		}
	}
	return end
}

// skipBlank returns the offset of what comes after blanks, line breaks and comments.
func (t *text) skipBlank(at int) int {
	for at < len(t.data) {
		switch t.data[at] {
		case ' ', '\t', '\r', '\n':
			at++
		case '#':
			at = t.lineEnd(at)
		default:
			return at
		}
	}
	return at
}

// end returns the offset behind a node's last byte.
func (t *text) end(n *yaml.Node) (int, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return t.scalarEnd(n)
	case yaml.AliasNode:
		at, err := t.start(n)
		if err != nil || !bytes.HasPrefix(t.data[at:], []byte("*"+n.Value)) {
			return 0, lost(n)
		}
		return at + 1 + len(n.Value), nil
	}
	at, err := t.content(n)
	if err != nil {
		return 0, err
	}
	last := at
	if len(n.Content) > 0 {
		if last, err = t.end(n.Content[len(n.Content)-1]); err != nil {
			return 0, err
		}
	}
	if !isFlow(n) || !t.hasBrackets(n, at) {
		return last, nil
	}
	closing := t.closing(max(last, at+1))
	if closing == len(t.data) {
		return 0, lost(n)
	}
	return closing + 1, nil
}

// closing returns where a flow collection closes whose last child ends at an offset.
func (t *text) closing(at int) int {
	for at = t.skipBlank(at); at < len(t.data) && t.data[at] == ','; {
		at = t.skipBlank(at + 1)
	}
	if at < len(t.data) && t.data[at] != ']' && t.data[at] != '}' {
		return len(t.data)
	}
	return at
}

// hasBrackets reports whether a flow collection whose content begins at an
// offset has brackets of its own; a single pair in a list has none.
func (t *text) hasBrackets(n *yaml.Node, at int) bool {
	if len(n.Content) > 0 {
		if first, err := t.start(n.Content[0]); err != nil || first == at {
			return false
		}
	}
	return t.data[at] == '{' && n.Kind == yaml.MappingNode || t.data[at] == '[' && n.Kind == yaml.SequenceNode
}

func (t *text) scalarEnd(n *yaml.Node) (int, error) {
	at, err := t.content(n)
	if err != nil || isEmpty(n) {
		return at, err
	}
	switch t.data[at] {
	case '|', '>':
		b, err := t.block(n)
		return b.end, err
	case '"', '\'':
		return t.quotedEnd(n, at)
	}
	return t.plainEnd(n, at)
}

func (t *text) quotedEnd(n *yaml.Node, at int) (int, error) {
	quote := t.data[at]
	for i := at + 1; i < len(t.data); i++ {
		switch {
		case quote == '"' && t.data[i] == '\\':
			i++
		case t.data[i] != quote:
		case quote == '\'' && i+1 < len(t.data) && t.data[i+1] == quote:
			i++
		default:
			return i + 1, nil
		}
	}
	return 0, lost(n)
}

// plainEnd follows a plain scalar, which may be folded over several lines, as
// far as its value goes.
func (t *text) plainEnd(n *yaml.Node, at int) (int, error) {
	const blank = " \t\r\n"
	value := n.Value
	for value != "" {
		if at < len(t.data) && t.data[at] == value[0] && strings.IndexByte(blank, value[0]) < 0 {
			at, value = at+1, value[1:]
			continue
		}
		raw := bytes.TrimLeft(t.data[at:], blank)
		folded := strings.TrimLeft(value, blank)
		if len(raw) == len(t.data)-at || len(folded) == len(value) {
			return 0, lost(n)
		}
		at, value = len(t.data)-len(raw), folded
	}
	return at, nil
}

// indentation returns the column, from 0, at which the entries of a block
// collection stand, given where one of them begins.
func (t *text) indentation(entry int) (int, error) {
	prefix := t.data[t.lineStart(entry):entry]
	if i := bytes.IndexFunc(prefix, func(r rune) bool { return r != ' ' && r != '-' }); i >= 0 {
		if prefix[i] == '\t' {
			return 0, refuse(t.lineAt(entry), "the line is indented with tabs")
		}
		return 0, refuse(t.lineAt(entry), "the way it is indented is not understood")
	}
	return len(prefix), nil
}

// restOfLine returns what follows an offset on its line.
func (t *text) restOfLine(at int) string { return string(t.data[at:max(at, t.lineEnd(at))]) }

// endsLine reports whether nothing but blanks and a comment follows on the line.
func (t *text) endsLine(at int) bool {
	rest := t.restOfLine(at)
	trimmed := strings.TrimLeft(rest, " \t")
	return trimmed == "" || trimmed[0] == '#' && len(trimmed) < len(rest)
}

// beginsLine reports whether nothing but spaces stands before an offset on its line.
func (t *text) beginsLine(at int) bool {
	return len(bytes.Trim(t.data[t.lineStart(at):at], " ")) == 0
}
