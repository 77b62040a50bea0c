package registry

import (
	"fmt"
	"strings"
)

// heritage is what External-DNS marks its ownership records with.
const heritage = "external-dns"

// maxHeritage bounds the text of an ownership record, in bytes.
const maxHeritage = 4096

// Label is what an ownership record says.
type Label struct{ Owner, Resource string }

// ParseLabel reads the text of an ownership record, with or without quotes.
// The text of any other record yields false.
func ParseLabel(text string) (Label, bool) {
	if len(text) > maxHeritage {
		return Label{}, false
	}
	var l Label
	found := false
	for token := range strings.SplitSeq(strings.Trim(text, `"`), ",") {
		key, value, ok := strings.Cut(token, "=")
		switch {
		case !ok:
		case key == "heritage" && value != heritage:
			return Label{}, false
		case key == "heritage":
			found = true
		case key == heritage+"/owner":
			l.Owner = value
		case key == heritage+"/resource":
			l.Resource = value
		}
	}
	if !found {
		return Label{}, false
	}
	return l, true
}

// String returns the text of the ownership record, in quotes as External-DNS
// writes it.
func (l Label) String() string {
	text := "heritage=" + heritage + "," + heritage + "/owner=" + clean(l.Owner)
	if l.Resource != "" {
		text += "," + heritage + "/resource=" + clean(l.Resource)
	}
	return fmt.Sprintf("%q", text)
}

// clean drops what would end a value.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ',' || r == '"' || r == '\\' || r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}
