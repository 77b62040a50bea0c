package templates

import "strings"

// withoutComments leaves out the template's own comments, and the lines of
// comments that it would render, but for the blocks in them. ok is false where
// a mark begins in such a line and ends in another.
func (s syntax) withoutComments(source string) (text string, ok bool) {
	var b strings.Builder
	for {
		at := strings.Index(source, s.commentStart)
		if at < 0 {
			b.WriteString(source)
			break
		}
		length := strings.Index(source[at:], s.commentEnd)
		if length < 0 {
			return "", false
		}
		b.WriteString(source[:at])
		source = source[at+length+len(s.commentEnd):]
	}
	source = b.String()
	b.Reset()
	for line := range strings.Lines(source) {
		trimmed := strings.TrimSpace(line)
		if !strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, s.blockStart) || strings.HasPrefix(trimmed, s.variableStart) {
			b.WriteString(line)
			continue
		}
		if strings.Count(trimmed, s.variableStart) != strings.Count(trimmed, s.variableEnd) || strings.Count(trimmed, s.blockStart) != strings.Count(trimmed, s.blockEnd) {
			return "", false
		}
		b.WriteString(s.blocks(trimmed))
		b.WriteByte('\n')
	}
	return b.String(), true
}

// blocks returns the blocks of a line, and nothing between them.
func (s syntax) blocks(line string) string {
	var b strings.Builder
	for {
		at := strings.Index(line, s.blockStart)
		if at < 0 {
			return b.String()
		}
		length := strings.Index(line[at:], s.blockEnd)
		if length < 0 {
			return b.String()
		}
		end := at + length + len(s.blockEnd)
		b.WriteString(line[at:end])
		line = line[end:]
	}
}
