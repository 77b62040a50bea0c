package edit

import "strings"

// uncomment takes out the comment that the line ends with that begins at an
// offset. What only looks like a comment is part of a value, which would change:
// the proof of the result refuses it.
func (t *text) uncomment(at int, comment string) (change, error) {
	end := t.lineEnd(at)
	before, ok := strings.CutSuffix(strings.TrimRight(string(t.data[at:end]), " \t"), comment)
	if !ok || !strings.HasPrefix(comment, "#") {
		return change{}, refuse(t.lineAt(at), "the line does not end with the comment")
	}
	before = strings.TrimRight(before, " \t")
	switch {
	case before != "":
		return change{splices: []splice{{start: at + len(before), end: end}}}, nil
	case end == len(t.data) && t.lineAt(at) > 1: // the line before is the last one now
		return change{splices: []splice{{start: t.lineEnd(at - 1), end: end}}}, nil
	}
	return change{splices: []splice{{start: at, end: t.nextLine(at)}}}, nil
}
