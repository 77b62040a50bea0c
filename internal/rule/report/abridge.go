package report

import (
	"fmt"
	"strings"
)

// maxListed is how many names of a list people are shown.
const maxListed = 5

// abridged shortens the lists of a note: what stands behind a colon, up to a
// semicolon, divided by commas. Machines get all of it.
func abridged(note string) string {
	parts := strings.Split(note, "; ")
	for i, part := range parts {
		colon := strings.LastIndex(part, ": ")
		if colon < 0 {
			continue
		}
		names := strings.Split(part[colon+2:], ", ")
		if more := len(names) - maxListed; more > 1 {
			parts[i] = part[:colon+2] + strings.Join(names[:maxListed], ", ") + fmt.Sprintf(" and %d more", more)
		}
	}
	return strings.Join(parts, "; ")
}
