package edit

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
)

// isText reports whether a value is text that may be YAML itself: a literal
// block scalar.
func isText(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style&yaml.LiteralStyle != 0 && n.Value != ""
}

// nested edits the YAML in the literal block scalar that f leads to. The plan
// gets that text and the number of the line that its first line has outside.
func (t *text) nested(f found, plan func(inner *text, first int) (change, error)) (change, error) {
	n := f.node()
	b, err := t.block(n)
	if err != nil {
		return change{}, err
	}
	first := t.lineAt(b.body)
	inner, err := readText(t.file, n.Value)
	if err != nil {
		return change{}, movedBy(err, first-1)
	}
	c, err := plan(inner, first)
	if err != nil {
		return change{}, movedBy(err, first-1)
	}
	after, err := inner.make(c)
	if err != nil {
		return change{}, movedBy(err, first-1)
	}
	outer := change{want: changed(f, func(n *yaml.Node) { n.Value = string(after.data) })}
	for _, s := range c.splices {
		outer.splices = append(outer.splices, t.outward(inner, b, s))
	}
	return outer, nil
}

// readText parses the text of a block scalar, which must be one document with fields or items.
func readText(file, value string) (*text, error) {
	inner, err := read(file, []byte(value))
	if err != nil {
		return nil, err
	}
	if len(inner.docs) != 1 || inner.docs[0].Node.Kind == yaml.ScalarNode {
		return nil, refuse(1, "the text there is no YAML with fields or items")
	}
	return inner, nil
}

// movedBy corrects the line of a refusal.
func movedBy(err error, lines int) error {
	var r *Refusal
	if errors.As(err, &r) && r.Place.Line > 0 {
		r.Place.Line += lines
	}
	return err
}

// outward turns a splice of a block scalar's text into one of the text around it.
func (t *text) outward(inner *text, b block, s splice) splice {
	indent := strings.Repeat(" ", b.indent)
	lines := strings.Split(s.text, "\n")
	added := prefix(lines, indent)
	if !inner.isLineStart(s.start) {
		added[0] = lines[0]
	}
	return splice{
		start: t.outside(inner, b, s.start),
		end:   t.outside(inner, b, s.end),
		text:  strings.Join(added, t.lineBreak(b.header)),
	}
}

// outside maps an offset of a block scalar's text to the text around it; the
// start of a line to where its indentation begins.
func (t *text) outside(inner *text, b block, offset int) int {
	line := inner.lineAt(offset)
	start := t.nextLine(b.end)
	if at := t.lineAt(b.body) + line - 1; at <= len(t.lines) {
		start = t.lines[at-1]
	}
	if inner.isLineStart(offset) {
		return start
	}
	return start + b.indent + offset - inner.lines[line-1]
}

func (t *text) isLineStart(offset int) bool { return t.lineStart(offset) == offset }
