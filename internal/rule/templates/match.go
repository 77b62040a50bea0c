package templates

import "strings"

// rendered is a file as patterns see it.
type rendered struct {
	text []byte
	// lines are the numbers of the lines, from 1, that the bytes come from.
	lines []int
}

// renderedOf leaves out what does not count.
func renderedOf(source string) rendered {
	var r rendered
	number := 0
	for line := range strings.Lines(source) {
		number++
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		for i := range len(trimmed) {
			if c := trimmed[i]; c != ' ' && c != '\t' && c != '\r' {
				r.text, r.lines = append(r.text, c), append(r.lines, number)
			}
		}
		r.text, r.lines = append(r.text, '\n'), append(r.lines, number)
	}
	return r
}

// maxSteps bounds the work of one comparison.
const maxSteps = 10_000_000

// mismatch returns the line where a file cannot be what the template renders
// to; 0 where it can, or where that takes too long to tell.
func (p *pattern) mismatch(r rendered) int {
	m := matcher{pattern: p, text: r.text, seen: make([]int, len(p.states))}
	current := m.reach(nil, p.start, 0)
	steps, furthest, last := 0, 0, len(p.states)
	for at := range r.text {
		var next []int
		for _, s := range current {
			if steps++; steps > maxSteps {
				return 0
			}
			if !p.states[s].takes(r.text[at]) {
				continue
			}
			// Where anything fits anywhere, how far the text was read says
			// nothing, and how far the template was does. Its states are
			// numbered from its end.
			if op := p.states[s].op; (op == opByte || op == opLine) && (!p.loose || s <= last) {
				furthest, last = at+1, s
			}
			next = m.reach(next, p.states[s].next, at+1)
		}
		if current = next; len(current) == 0 {
			break
		}
	}
	if m.ended {
		return 0
	}
	return r.line(furthest)
}

// takes reports whether a state takes a byte.
func (s state) takes(c byte) bool {
	switch s.op {
	case opByte:
		return s.b == c
	case opAny:
		return c != '\n'
	case opAll:
		return true
	case opLine:
		return c == '\n'
	}
	return false
}

// line returns the number of the line at a position; the last one at the end.
func (r rendered) line(at int) int {
	if len(r.lines) == 0 {
		return 1
	}
	return r.lines[min(at, len(r.lines)-1)]
}

// matcher follows all ways through a pattern at once.
type matcher struct {
	pattern *pattern
	text    []byte
	// seen holds the position, plus one, at which a state was reached last.
	seen []int
	// ended says that a way has come to the end of both.
	ended bool
}

// reach adds the states from which something is taken at a position.
func (m *matcher) reach(list []int, s, at int) []int {
	pending := []int{s}
	for len(pending) > 0 {
		s, pending = pending[len(pending)-1], pending[:len(pending)-1]
		if m.seen[s] == at+1 {
			continue
		}
		m.seen[s] = at + 1
		switch st := m.pattern.states[s]; st.op {
		case opSplit:
			pending = append(pending, st.other, st.next)
		case opEnd:
			m.ended = m.ended || m.isOver(at)
		case opLine:
			if at == 0 || m.text[at-1] == '\n' {
				pending = append(pending, st.next)
			} else {
				list = append(list, s)
			}
		default:
			list = append(list, s)
		}
	}
	return list
}

// isOver reports whether nothing but a line end is left.
func (m *matcher) isOver(at int) bool {
	return at == len(m.text) || at == len(m.text)-1 && m.text[at] == '\n'
}
