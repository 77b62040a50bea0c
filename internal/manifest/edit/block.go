package edit

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// block is how a literal (|) or folded (>) block scalar is laid out.
type block struct {
	header    int    // where its indicator stands
	headerEnd int    // behind all of its indicators
	digit     string // the indentation indicator, or ""
	chomp     string // "-", "+" or ""
	body      int    // where its first line begins
	indent    int    // of its lines, in spaces; 0 where it has no text
	end       int    // behind its last byte that counts, before the line break
}

// block reads the layout of a block scalar.
func (t *text) block(n *yaml.Node) (block, error) {
	at, err := t.content(n)
	if err != nil {
		return block{}, err
	}
	b := block{header: at, headerEnd: at + 1}
	for ; b.headerEnd < len(t.data); b.headerEnd++ {
		switch c := t.data[b.headerEnd]; {
		case c == '+' || c == '-':
			b.chomp = string(c)
			continue
		case c >= '1' && c <= '9':
			b.digit = string(c)
			continue
		}
		break
	}
	b.body, b.end = t.nextLine(b.headerEnd), b.headerEnd
	leading := len(n.Value) - len(strings.TrimLeft(n.Value, "\n"))
	if leading == len(n.Value) {
		return b, t.blankBody(&b, n, leading)
	}
	first := t.lineAt(b.headerEnd) + leading // index of the first line with text
	if first >= len(t.lines) {
		return b, lost(n)
	}
	line, _, _ := strings.Cut(n.Value[leading:], "\n")
	b.indent = spaces(t.restOfLine(t.lines[first])) - spaces(line)
	if b.indent < 1 {
		return b, lost(n)
	}
	t.findEnd(&b, first)
	return b, nil
}

// blankBody ends a scalar that has no text, but the line breaks that "+" keeps.
func (t *text) blankBody(b *block, n *yaml.Node, breaks int) error {
	if breaks == 0 {
		return nil
	}
	last := t.lineAt(b.headerEnd) + breaks - 1
	if last >= len(t.lines) {
		return lost(n)
	}
	b.end = t.lineEnd(t.lines[last])
	return nil
}

// findEnd follows the lines from an index as long as they belong to the scalar.
// Blank lines at its end count only where they are kept.
func (t *text) findEnd(b *block, first int) {
	for _, start := range t.lines[first:] {
		line := t.restOfLine(start)
		indent := spaces(line)
		isBlank := indent == len(line) && indent <= b.indent
		if !isBlank && indent < b.indent {
			return
		}
		if !isBlank || b.chomp == "+" && t.nextLine(start) > start+len(line) {
			b.end = start + len(line)
		}
	}
}

func spaces(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }
