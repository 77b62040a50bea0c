package onepassword

import (
	"net/http"
	"slices"
	"strings"
)

// maxFilter bounds the filter of a request, in bytes.
const maxFilter = 4 << 10

// readFilter reads the filter of a request, `attribute eq "text"`, and returns
// a function that tells whether an attribute with those values passes: always,
// for attributes that the filter does not speak of. It answers a filter that
// the server does not know.
func readFilter(w http.ResponseWriter, r *http.Request, attributes ...string) (func(attribute string, values ...string) bool, bool) {
	filter := r.URL.Query().Get("filter")
	if filter == "" {
		return func(string, ...string) bool { return true }, true
	}
	attribute, rest, _ := strings.Cut(strings.TrimSpace(filter), " ")
	operator, text, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if len(filter) > maxFilter || !slices.Contains(attributes, attribute) || !strings.EqualFold(operator, "eq") {
		fail(w, http.StatusBadRequest, "Invalid filter")
		return nil, false
	}
	wanted := unquote(text)
	return func(name string, values ...string) bool {
		return name != attribute || slices.Contains(values, wanted)
	}, true
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
