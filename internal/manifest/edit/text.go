package edit

import (
	"bytes"
	"sort"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

// text is a YAML stream with what its parser says about it.
type text struct {
	file  string
	data  []byte
	lines []int // where each line begins; the first behind a byte order mark
	docs  []*manifest.Document
	// shared holds the nodes that aliases stand for.
	shared map[*yaml.Node]bool
	// section is what sections returns, once it was asked for.
	section []int
}

// read parses a file to edit.
func read(file string, data []byte) (*text, error) {
	t := &text{file: file, data: data, lines: []int{0}}
	if bytes.HasPrefix(data, []byte("\uFEFF")) {
		t.lines[0] = len("\uFEFF")
	}
	for i, b := range data {
		if b == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	docs, err := manifest.Parse(file, data)
	if err != nil {
		return nil, unreadable(err)
	}
	if at := oddBreak(data); at >= 0 {
		return nil, &Refusal{Place: domain.Place{File: file, Line: t.lineAt(at)}, Reason: "it holds a line break that is neither LF nor CRLF"}
	}
	t.docs = docs
	t.shared = map[*yaml.Node]bool{}
	for _, d := range docs {
		t.findShared(d.Node)
	}
	return t, nil
}

func (t *text) findShared(n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		t.shared[n.Alias] = true
	}
	for _, c := range n.Content {
		t.findShared(c)
	}
}

// oddBreak finds what some parsers take for a line break and others do not:
// CR alone, NEL, LS, PS. Lines would be counted differently.
func oddBreak(data []byte) int {
	for i, b := range data {
		switch {
		case b == '\r' && (i+1 == len(data) || data[i+1] != '\n'),
			b == 0xC2 && data[i+1] == 0x85,
			b == 0xE2 && data[i+1] == 0x80 && (data[i+2] == 0xA8 || data[i+2] == 0xA9):
			return i
		}
	}
	return -1
}

// lineAt returns the number, from 1, of the line that an offset is on.
func (t *text) lineAt(offset int) int {
	return max(1, sort.SearchInts(t.lines, offset+1))
}

// lineStart returns where the line of an offset begins.
func (t *text) lineStart(offset int) int { return t.lines[t.lineAt(offset)-1] }

// lineEnd returns where the line of an offset ends, before its line break.
func (t *text) lineEnd(offset int) int {
	start, end := t.lineStart(offset), t.nextLine(offset)
	if end > start && t.data[end-1] == '\n' {
		end--
		if end > start && t.data[end-1] == '\r' {
			end--
		}
	}
	return end
}

// nextLine returns where the line after that of an offset begins; the end of
// the text where there is none.
func (t *text) nextLine(offset int) int {
	if line := t.lineAt(offset); line < len(t.lines) {
		return t.lines[line]
	}
	return len(t.data)
}

// lineBreak returns the line break that the line of an offset ends with, or that
// lines around it do.
func (t *text) lineBreak(offset int) string {
	for line := t.lineAt(offset); line > 0; line-- {
		if line == len(t.lines) {
			continue // The last line has none.
		}
		if end := t.lines[line]; end >= 2 && t.data[end-2] == '\r' {
			return "\r\n"
		}
		return "\n"
	}
	return "\n"
}

// isDivider reports whether a line, counted from 1, begins a document with "---".
func (t *text) isDivider(line int) bool {
	rest, ok := bytes.CutPrefix(t.data[t.lines[line-1]:], []byte("---"))
	return ok && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
}

// document returns the index of the document that has a line.
func (t *text) document(line int) (int, error) {
	if line == 0 && len(t.docs) == 1 {
		return 0, nil
	}
	if line <= 0 || line > len(t.lines) {
		return 0, refuse(line, "which document is meant is not clear")
	}
	section := t.sections()
	for i, d := range t.docs {
		if d.Line < len(section) && section[d.Line] == section[line] {
			return i, nil
		}
	}
	return 0, refuse(line, "the line is in no document")
}

// sections returns of each line, counted from 1, how many documents have begun there.
func (t *text) sections() []int {
	if t.section != nil {
		return t.section
	}
	dividers := 0
	t.section = make([]int, len(t.lines)+1)
	for line := 1; line <= len(t.lines); line++ {
		if t.isDivider(line) {
			dividers++
		}
		t.section[line] = dividers
	}
	return t.section
}
