// Package spelling finds the name that was probably meant by one that nothing
// has.
package spelling

import "slices"

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

// Distance counts the characters to change, add or remove to make one name the
// other; two neighbours that change places count once.
func Distance(a, b string) int {
	var older, before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		older, before, row = before, row, make([]int, len(b)+1)
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
