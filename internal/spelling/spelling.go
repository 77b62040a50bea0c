// Package spelling finds the name that was probably meant by one that nothing
// has.
package spelling

import (
	"slices"
	"strings"
)

// longest is the longest text that is compared letter by letter.
const longest = 256

// Near reports whether two names are so alike that the one may be a slip for
// the other. One change it is at most: with two, internal is external.
func Near(a, b string) bool { return Distance(a, b) <= 1 }

// Nearest returns the name of a list that is most like the wanted one, the
// first of several in order of the alphabet; false where none is near.
func Nearest(want string, have []string) (string, bool) {
	best, found := "", false
	for _, name := range slices.Sorted(slices.Values(have)) {
		if Near(name, want) && (!found || Distance(name, want) < Distance(best, want)) {
			best, found = name, true
		}
	}
	return best, found
}

// Guess returns the candidate that a name most likely means, or "": in no more
// than a third of its letters it may be another, and capitals do not count. Of
// equals the first wins. It is for hints that do no harm where they are wrong.
func Guess(name string, candidates []string) string {
	if name == "" || len(name) > longest {
		return ""
	}
	best, least := "", 1+max(1, len(name)/3)
	for _, c := range candidates {
		if strings.EqualFold(c, name) {
			return c
		}
		if apart := len(c) - len(name); apart >= least || -apart >= least || len(c) < 2 {
			continue
		}
		if d := Distance(strings.ToLower(name), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// Distance counts the characters to change, add or remove to make one name the
// other; two neighbours that change places count once. Texts of more than 256
// bytes are as far apart as they are long.
func Distance(a, b string) int {
	if len(a) > longest || len(b) > longest {
		return len(a) + len(b)
	}
	older, before, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		older, before, row = before, row, older
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(before[j]+1, row[j-1]+1, before[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
