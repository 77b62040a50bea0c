package edit

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// remove takes out the entry or item whose value f leads to.
func (t *text) remove(f found) (change, error) {
	n, p := f.node(), f.parent()
	switch {
	case len(f.rest) > 0:
		return change{}, refuse(n.Line, "it is not there")
	case p == nil:
		return change{}, refuse(n.Line, "a whole document is not removed")
	case sharesOutside(f.trail[0], n):
		return change{}, refuse(n.Line, "an anchor in it is used elsewhere")
	}
	width, first := 1, f.step()
	if p.Kind == yaml.MappingNode {
		width, first = 2, first-1
		if merged(p, p.Content[first].Value, mergeDepth) {
			return change{}, refuse(n.Line, "a merge key (<<) would give it back")
		}
		if sharesOutside(f.trail[0], p.Content[first]) {
			return change{}, refuse(n.Line, "an anchor in it is used elsewhere")
		}
	}
	var splices []splice
	var err error
	switch {
	case isFlow(p):
		splices, err = t.removeFlow(p, first, width)
	case len(p.Content) == width:
		splices, err = t.removeOnly(f.up())
	default:
		splices, err = t.removeLines(f, first, width)
	}
	want := changed(f.up(), func(p *yaml.Node) {
		p.Content = slices.Delete(p.Content, first, first+width)
	})
	return change{splices: splices, want: want}, err
}

// entryStart returns where an entry of a collection begins: at its key or dash.
func (t *text) entryStart(p *yaml.Node, i int) (int, error) {
	if p.Kind == yaml.MappingNode || isFlow(p) {
		return t.start(p.Content[i])
	}
	if i == 0 {
		return t.firstEntry(p)
	}
	end, err := t.end(p.Content[i-1])
	if err != nil {
		return 0, err
	}
	at := t.skipBlank(end)
	if at == len(t.data) || t.data[at] != '-' {
		return 0, lost(p.Content[i])
	}
	return at, nil
}

// removeLines removes an entry of a block collection that has others.
func (t *text) removeLines(f found, i, width int) ([]splice, error) {
	p := f.parent()
	start, err := t.entryStart(p, i)
	if err != nil {
		return nil, err
	}
	indent, err := t.indentation(start)
	if err != nil {
		return nil, err
	}
	end, err := t.end(f.node())
	if err != nil {
		return nil, err
	}
	if !t.endsLine(end) {
		return nil, refuse(t.lineAt(end), "more follows on the same line")
	}
	if !t.beginsLine(start) {
		return t.removeFirst(p, i+width, start, end)
	}
	from := t.lineStart(start)
	if i > 0 || len(f.trail) > 2 {
		from = t.headComment(from, indent)
	}
	return []splice{t.wholeLines(from, end)}, nil
}

// wholeLines removes lines up to and with that of an offset. A text without a
// line break at its end stays so.
func (t *text) wholeLines(from, end int) splice {
	next := t.nextLine(end)
	if next == t.lineEnd(end) {
		from = max(t.lines[0], len(bytes.TrimRight(t.data[:from], "\r\n")))
	}
	return splice{from, next, ""}
}

// headComment returns where the comment lines begin that stand directly above a line, as far
// indented as it is.
func (t *text) headComment(line, indent int) int {
	mark := append(bytes.Repeat([]byte(" "), indent), '#')
	for line > t.lines[0] {
		above := t.lineStart(line - 1)
		if !bytes.HasPrefix(t.data[above:], mark) {
			break
		}
		line = above
	}
	return line
}

// removeFirst removes an entry that stands on the line of its parent's dash;
// the next one takes its place.
func (t *text) removeFirst(p *yaml.Node, next, start, end int) ([]splice, error) {
	follows, err := t.entryStart(p, next)
	if err != nil {
		return nil, err
	}
	below := t.nextLine(end)
	if below > follows {
		return nil, lost(p)
	}
	if len(bytes.TrimSpace(t.data[below:follows])) == 0 {
		return []splice{{start, follows, ""}}, nil
	}
	for start > 0 && t.data[start-1] == ' ' {
		start--
	}
	return []splice{{start, t.lineEnd(end), ""}}, nil
}

// removeOnly removes the only entry of the block collection that f leads to, which is
// written as empty brackets then.
func (t *text) removeOnly(f found) ([]splice, error) {
	n := f.node()
	if f.parent() == nil {
		return nil, refuse(n.Line, "nothing would be left of the document")
	}
	start, err := t.firstEntry(n)
	if err != nil {
		return nil, err
	}
	indent, err := t.indentation(start)
	if err != nil {
		return nil, err
	}
	end, err := t.end(n)
	if err != nil {
		return nil, err
	}
	brackets := "{}"
	if n.Kind == yaml.SequenceNode {
		brackets = "[]"
	}
	if !t.endsLine(end) {
		return nil, refuse(t.lineAt(end), "more follows on the same line")
	}
	if !t.beginsLine(start) {
		return []splice{{start, t.lineEnd(end), brackets}}, nil
	}
	slot, err := t.slot(f)
	if err != nil {
		return nil, err
	}
	return []splice{{slot, slot, " " + brackets}, t.wholeLines(t.headComment(t.lineStart(start), indent), end)}, nil
}

// slot returns the offset behind the colon or dash that a value belongs to, and
// behind the value's anchor and tag.
func (t *text) slot(f found) (int, error) {
	n, p := f.node(), f.parent()
	at, err := t.start(n)
	if err != nil {
		return 0, err
	}
	if t.data[at] == '&' || t.data[at] == '!' {
		return t.skipProperties(at), nil
	}
	if p.Kind == yaml.SequenceNode {
		dash, err := t.entryStart(p, f.step())
		return dash + 1, err
	}
	end, err := t.end(p.Content[f.step()-1])
	if err != nil {
		return 0, err
	}
	colon := strings.IndexByte(t.restOfLine(end), ':')
	if colon < 0 {
		return 0, lost(n)
	}
	return end + colon + 1, nil
}

// removeFlow removes a child of a flow collection, and a comma.
func (t *text) removeFlow(p *yaml.Node, i, width int) ([]splice, error) {
	at, err := t.content(p)
	if err != nil {
		return nil, err
	}
	if !t.hasBrackets(p, at) {
		return nil, refuse(p.Line, "it has no brackets of its own")
	}
	end, err := t.end(p)
	if err != nil {
		return nil, err
	}
	from, to := at+1, end-1
	switch {
	case len(p.Content) == width:
	case i+width < len(p.Content):
		if from, err = t.start(p.Content[i]); err == nil {
			to, err = t.start(p.Content[i+width])
		}
	default:
		if from, err = t.end(p.Content[i-1]); err == nil {
			to, err = t.end(p.Content[i+width-1])
		}
	}
	if err != nil || from > to {
		return nil, lost(p)
	}
	if t.hasComment(from, to) {
		return nil, refuse(p.Line, "there is a comment between its brackets")
	}
	return []splice{{from, to, ""}}, nil
}

// hasComment reports whether a comment might stand in a part of the text.
func (t *text) hasComment(from, to int) bool {
	return bytes.Contains(t.data[from:to], []byte(" #")) || bytes.Contains(t.data[from:to], []byte("\n#"))
}
