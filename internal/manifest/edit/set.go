package edit

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// set gives the field that f leads to a single value.
func (t *text) set(f found, s scalar) (change, error) {
	if !s.valid() {
		return change{}, refuse(0, "its type is not known, or it is no value of its type")
	}
	if len(f.rest) > 0 {
		last := len(f.rest) - 1
		c := pair(f.rest[last], s)
		f.rest = f.rest[:last]
		return t.insert(f, c)
	}
	n := f.node()
	if n.Kind != yaml.ScalarNode {
		return change{}, refuse(n.Line, "it is a mapping or a list, not a single value")
	}
	if s.is(n) {
		return change{}, nil
	}
	if n.Style&yaml.TaggedStyle != 0 && n.ShortTag() != s.tag {
		return change{}, refuse(n.Line, "it has a tag of another type (%s)", n.ShortTag())
	}
	splices, err := t.rewrite(f, s)
	want := changed(f, func(n *yaml.Node) {
		n.Value, n.Tag, n.Style = s.value, s.tag, 0
	})
	return change{splices: splices, want: want}, err
}

// rewrite replaces the text of a scalar, in its own style where that can hold the value.
func (t *text) rewrite(f found, s scalar) ([]splice, error) {
	n := f.node()
	at, err := t.content(n)
	if err != nil {
		return nil, err
	}
	if isEmpty(n) {
		return t.fillIn(f, at, s)
	}
	if t.data[at] == '|' || t.data[at] == '>' {
		return t.rewriteBlock(n, s)
	}
	end, err := t.end(n)
	if err != nil {
		return nil, err
	}
	return []splice{{at, end, s.like(t.data[at], f.inFlow(), quotesKeys(f))}}, nil
}

// like writes a scalar as one that begins with a character is written.
func (s scalar) like(first byte, flow, json bool) string {
	switch {
	case s.tag == "!!str" && first == '\'':
		return s.single()
	case s.tag == "!!str" && first == '"':
		return doubleQuoted(s.value)
	}
	return s.text(flow, json)
}

// quotesKeys reports whether a value stands in a mapping of JSON.
func quotesKeys(f found) bool {
	p := f.parent()
	return p != nil && isJSON(p)
}

// isJSON reports whether a flow mapping quotes its first key as JSON does, or a
// flow list its first text.
func isJSON(n *yaml.Node) bool {
	return isFlow(n) && len(n.Content) > 0 && n.Content[0].Style&yaml.DoubleQuotedStyle != 0
}

// fillIn writes a scalar where there is none behind a colon or dash.
func (t *text) fillIn(f found, at int, s scalar) ([]splice, error) {
	if !t.afterIndicator(f, at) {
		return nil, refuse(f.node().Line, "the field has no value, nor a colon")
	}
	written := s.text(f.inFlow(), quotesKeys(f))
	if last := t.data[at-1]; last != ' ' {
		written = " " + written
	}
	return []splice{{at, at, written}}, nil
}

// afterIndicator reports whether a place in the text is one for a value: behind a colon, a
// dash, or an anchor or tag.
func (t *text) afterIndicator(f found, at int) bool {
	n := f.node()
	if n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return true
	}
	before := strings.TrimRight(string(t.data[t.lineStart(at):at]), " \t")
	return strings.HasSuffix(before, ":") || strings.HasSuffix(before, "-")
}
