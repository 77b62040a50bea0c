package manifest

import (
	"bytes"
	"strings"
)

// DividedByLines reports whether the documents of a stream are divided by lines
// of dashes, and by nothing else, so that readers that split it before they
// parse it see the documents that Parse does.
func DividedByLines(data []byte) bool {
	if bytes.IndexByte(data, '\r') >= 0 || bytes.Contains(data, []byte("\uFEFF")) {
		return false
	}
	for len(data) > 0 {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte("\n"))
		if oddLine(line) {
			return false
		}
	}
	return true
}

// oddLine finds what is something else to a reader that looks for lines of
// dashes than it is to a YAML parser.
func oddLine(line []byte) bool {
	if len(line) == 0 {
		return false
	}
	switch line[0] {
	case '%':
		return true
	case '.':
		return bytes.HasPrefix(line, []byte("..."))
	case '-':
		rest, dashes := bytes.CutPrefix(line, []byte("---"))
		rest = bytes.TrimLeft(rest, " \t")
		return dashes && len(rest) > 0 && !strings.ContainsRune("\f#", rune(rest[0]))
	}
	return false
}
