package onepassword

import (
	"net/http"
	"slices"
	"strings"
)

// maxFilter bounds the filter of a request, in bytes.
const maxFilter = 4 << 10

// filter is what a request's `attribute eq "text"` asks for. The zero filter
// lets everything pass.
type filter struct{ attribute, text string }

// readFilter reads the filter of a request, and answers one that the server
// does not know.
func readFilter(w http.ResponseWriter, r *http.Request, attributes ...string) (filter, bool) {
	given := r.URL.Query().Get("filter")
	if given == "" {
		return filter{}, true
	}
	attribute, rest, _ := strings.Cut(strings.TrimSpace(given), " ")
	operator, text, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if len(given) > maxFilter || !slices.Contains(attributes, attribute) || !strings.EqualFold(operator, "eq") {
		fail(w, http.StatusBadRequest, "Invalid filter")
		return filter{}, false
	}
	return filter{attribute, unquote(text)}, true
}

// passes reports whether something whose attribute has the values passes; a
// filter of another attribute lets it.
func (f filter) passes(attribute string, values ...string) bool {
	return f.attribute != attribute || slices.Contains(values, f.text)
}

// unquote takes the quotes off a filter's text. What stands between the first
// and the last one is taken as it is, since clients do not escape quotes.
func unquote(text string) string {
	text = strings.TrimSpace(text)
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		return text[1 : len(text)-1]
	}
	return text
}
