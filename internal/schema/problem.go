package schema

import (
	"slices"
	"strconv"
	"strings"
)

// Problem is why the API server would refuse an object.
type Problem struct {
	// Path is the field at fault; list items are named by their index. Where a
	// field is missing it is that of the mapping which lacks it.
	Path []string
	// Message is one sentence without a full stop.
	Message string
	// Fix says what to write instead; empty where that is not known.
	Fix string
	// Dated says that the problem is an API version that the definition which
	// Hearth brings along does not serve. Another release of it might.
	Dated bool
	// Release names the operator, and the release of it, by whose definition
	// the problem is one, where that is a definition that Hearth carries.
	// Another release might see it differently. Empty otherwise.
	Release string
	// Novel says that a later release of the definition may well admit it: a
	// field that resembles none that is known, a value beside those that are
	// allowed, a newer API version.
	Novel bool
	// Tolerated says that only server-side apply refuses it. A client that
	// applies otherwise has the API server drop the field or the item.
	Tolerated bool
	// Sensitive says that the field may hold a credential, so that its value
	// must not be shown.
	Sensitive bool
}

// FieldPath writes a path as people do: spec.ports[0].name.
func FieldPath(path []string) string {
	var b strings.Builder
	for _, step := range path {
		_, err := strconv.Atoi(step)
		switch {
		case err == nil && b.Len() > 0:
			b.WriteString("[" + step + "]")
		case strings.ContainsAny(step, `./[]"' `) || step == "":
			b.WriteString("[" + strconv.Quote(step) + "]")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step)
		}
	}
	return b.String()
}

// quoted lists names for people: `a`, `b` or `c`.
func quoted(names []string, last string) string {
	const shown = 12
	rest := len(names) - shown
	if rest > 1 {
		names = names[:shown]
	}
	var b strings.Builder
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1 && rest <= 1:
			b.WriteString(" " + last + " ")
		default:
			b.WriteString(", ")
		}
		b.WriteString("`" + name + "`")
	}
	if rest > 1 {
		b.WriteString(", … (" + strconv.Itoa(rest) + " more)")
	}
	return b.String()
}

// credentials are parts of the names of fields whose value may be a credential.
var credentials = []string{"password", "passwd", "passphrase", "token", "secret", "credential", "apikey", "api_key", "api-key", "privatekey", "private_key", "auth", "dsn"}

// credentialLike reports whether the field at the end of a path may hold a
// credential. It errs on the side of yes.
func credentialLike(path []string) bool {
	for i := len(path) - 1; i >= 0; i-- {
		step := strings.ToLower(path[i])
		if _, err := strconv.Atoi(step); err == nil {
			continue
		}
		return step == "value" || slices.ContainsFunc(credentials, func(part string) bool { return strings.Contains(step, part) })
	}
	return false
}
