package edit

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// comment puts a comment line above the line that begins at an offset.
func (t *text) comment(at int, comment string) (change, error) {
	line := t.lineAt(at)
	if strings.ContainsFunc(comment, func(r rune) bool { return !isPrintable(r) }) {
		return change{}, refuse(line, "the comment is not one line of text")
	}
	for i, d := range t.docs {
		if f, ok := t.literalAt(found{trail: []*yaml.Node{d.Node}}, line); ok {
			if err := t.checkTrail(f); err != nil {
				return change{}, err
			}
			c, err := t.nested(f, func(inner *text, first int) (change, error) {
				return inner.comment(inner.lines[line-first], comment)
			})
			c.doc = i
			return c, err
		}
	}
	rest := t.restOfLine(at)
	indent := rest[:len(rest)-len(strings.TrimLeft(rest, " \t"))]
	if strings.Contains(indent, "\t") {
		return change{}, refuse(line, "the line is indented with tabs")
	}
	return change{splices: []splice{{at, at, indent + comment + t.lineBreak(at)}}}, nil
}

// literalAt finds the literal block scalar that has a line in its text.
func (t *text) literalAt(f found, line int) (found, bool) {
	n := f.node()
	if n.Kind == yaml.ScalarNode && n.Style&yaml.LiteralStyle != 0 {
		b, err := t.block(n)
		return f, err == nil && b.indent > 0 && line >= t.lineAt(b.body) && line <= t.lineAt(b.end)
	}
	for i, c := range n.Content {
		if c.Line > line {
			break
		}
		next := found{trail: append(f.trail[:len(f.trail):len(f.trail)], c), steps: append(f.steps[:len(f.steps):len(f.steps)], i)}
		if hit, ok := t.literalAt(next, line); ok {
			return hit, true
		}
	}
	return found{}, false
}

// checkTrail refuses what is used elsewhere, too.
func (t *text) checkTrail(f found) error {
	for _, n := range f.trail {
		if err := t.checkShared(n); err != nil {
			return err
		}
	}
	return nil
}
