// Package credential tells credentials that are written out from everything
// that only speaks of them: by the name that a value has, and by the formats
// in which services hand out their keys.
//
// It rather misses a credential than takes a reference, a path, a setting or a
// hash for one. It never returns a value, only what it is and where.
package credential

// Found is a credential in a text.
type Found struct {
	// Line is the line of the text, from 0.
	Line int
	// What names it, as in "a GitHub token" or "the value of DB_PASSWORD".
	What string
}

// shortest is how long the shortest value of a known format is.
const shortest = 12

// In judges a value that has a name. What it is, is "" where it is no
// credential, or only names one.
func In(name, value string) (what string) {
	if what := format(value); what != "" {
		return what
	}
	if isWritten(classOf(name), name, value) {
		return "the value of " + name
	}
	return ""
}
