package edit

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// rewriteBlock replaces the text of a block scalar. It stays one, with header
// and indentation, where that can hold the value.
func (t *text) rewriteBlock(n *yaml.Node, s scalar) ([]splice, error) {
	b, err := t.block(n)
	if err != nil {
		return nil, err
	}
	body := strings.TrimRight(s.value, "\n")
	breaks := len(s.value) - len(body)
	chomp, ok := b.chompFor(breaks)
	if !ok || s.tag != "!!str" || b.indent == 0 || !b.holds(body) {
		return t.unblock(b, s), nil
	}
	lines := strings.Split(body, "\n")
	if chomp == "+" {
		lines = append(lines, make([]string, breaks-1)...)
	}
	prefixed := prefix(lines, strings.Repeat(" ", b.indent))
	style := string(t.data[b.header])
	if len(lines) > 1 {
		style = "|" // Folding would lose where the lines end.
	}
	return []splice{
		{b.header, b.headerEnd, style + b.digit + chomp},
		{b.body, b.end, strings.Join(prefixed, t.lineBreak(b.header))},
	}, nil
}

// chompFor returns the chomping indicator for a value that ends with so many
// line breaks.
func (b block) chompFor(breaks int) (chomp string, ok bool) {
	switch {
	case breaks == 0:
		return "-", true
	case b.chomp == "+":
		return "+", true
	}
	return "", breaks == 1
}

// holds reports whether lines can stand in the block scalar.
func (b block) holds(body string) bool {
	first := strings.TrimLeft(body, "\n")
	if first == "" || first[0] == '\t' || first[0] == ' ' && b.digit == "" {
		return false
	}
	for line := range strings.SplitSeq(body, "\n") {
		if strings.ContainsFunc(line, func(r rune) bool { return !isPrintable(r) }) || line != "" && strings.Trim(line, " ") == "" {
			return false
		}
	}
	return true
}

// unblock writes a quoted or plain scalar in place of a block scalar.
func (t *text) unblock(b block, s scalar) []splice {
	list := []splice{{b.header, b.headerEnd, s.text(false, false)}}
	if b.end > b.headerEnd {
		list = append(list, splice{t.lineEnd(b.headerEnd), b.end, ""})
	}
	return list
}

// prefix indents lines; empty ones stay empty.
func prefix(lines []string, indent string) []string {
	list := make([]string, len(lines))
	for i, line := range lines {
		if line != "" {
			line = indent + line
		}
		list[i] = line
	}
	return list
}
