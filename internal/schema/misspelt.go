package schema

import (
	"strings"
	"unicode"

	"hearth/internal/spelling"
)

// misspelt reports whether a name is so close to another that hardly anything
// else can be meant: they differ in capitals, or in up to two letters of one
// long word. Names such as host and hosts, ipv4 and ipv6, minSize and maxSize,
// or roles and rules stand beside each other too often.
func misspelt(name, meant string) bool {
	const (
		shortest = 5 // with a letter too many or too few; one more where not
		letters  = 2
	)
	if strings.EqualFold(name, meant) {
		return true
	}
	a, b, ok := difference(words(name), words(meant))
	if !ok || len(b) < shortest || len(b) == shortest && len(a) == len(b) || plural(a, b) || plural(b, a) {
		return false
	}
	if strings.ContainsFunc(a+b, unicode.IsDigit) {
		return false
	}
	return spelling.Distance(a, b) <= min(letters, len(b)/3)
}

// words splits a name such as imagePullPolicy into its words, in small letters.
func words(name string) []string {
	var list []string
	start := 0
	for i, r := range name {
		if unicode.IsUpper(r) && i > start {
			list = append(list, strings.ToLower(name[start:i]))
			start = i
		}
	}
	return append(list, strings.ToLower(name[start:]))
}

// difference returns the one word in which names differ. It is not ok where
// they differ otherwise.
func difference(a, b []string) (inA, inB string, ok bool) {
	if len(a) != len(b) {
		return "", "", false
	}
	at := -1
	for i := range a {
		switch {
		case a[i] == b[i]:
		case at >= 0:
			return "", "", false
		default:
			at = i
		}
	}
	if at < 0 {
		return "", "", false
	}
	return a[at], b[at], true
}

// plural reports whether a word is another in the plural.
func plural(word, of string) bool { return word == of+"s" && !strings.HasSuffix(of, "s") }
