package repo

import (
	"bytes"
	"strings"

	"hearth/internal/manifest"
)

// lineIndex finds the lines of a template that rendered documents come from.
type lineIndex struct {
	source []string
	same   bool
	next   int
}

func newLineIndex(source, rendered []byte) *lineIndex {
	return &lineIndex{source: strings.Split(string(source), "\n"), same: bytes.Equal(source, rendered)}
}

// of returns the line of a document: its own in a text that rendering did not
// change, else the next line of the template that names it, or the first one
// where a loop comes round again; 0 if there is none.
func (x *lineIndex) of(d *manifest.Document) int {
	if x.same {
		return d.Line
	}
	for n := range x.source {
		i := (x.next + n) % len(x.source)
		key, value, ok := strings.Cut(strings.TrimSpace(x.source[i]), ":")
		if ok && key == "name" && strings.Trim(strings.TrimSpace(value), `"'`) == d.Name() {
			x.next = i + 1
			return i + 1
		}
	}
	return 0
}
