package diagnose

import (
	"regexp"
	"strings"
	"unicode"
)

// maxText bounds what is told of a message, in bytes.
const maxText = 400

var (
	// quotedValue is how the API server quotes what it refuses.
	quotedValue = regexp.MustCompile(`Invalid value: (?:"(?:[^"\\]|\\.)*"|[^"].*?)(?:: |$)`)
	// credentials are what stands before the host of a URL.
	credentials = regexp.MustCompile(`://[^/\s@"']+@`)
	// bearer is a token in a header.
	bearer = regexp.MustCompile(`(?i)\b(bearer|basic|token)[ =:]+[A-Za-z0-9._~+/-]{12,}=*`)
)

// Clean makes a message fit to be told: one line, bounded, without control
// characters, and without values and credentials that it quotes.
func Clean(message string) string {
	const enough = 16 * maxText
	if len(message) > enough {
		message = message[:enough]
	}
	message = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(message, " "))
	message = strings.Join(strings.Fields(message), " ")
	message = quotedValue.ReplaceAllString(message, "")
	message = credentials.ReplaceAllString(message, "://…@")
	message = bearer.ReplaceAllString(message, "$1 …")
	if len(message) > maxText {
		message = strings.ToValidUTF8(message[:maxText], "") + " …"
	}
	return message
}

// name is Clean for what should be a name: it may be anything in a message.
func name(s string) string {
	const maxName = 253
	s = Clean(s)
	if len(s) > maxName {
		s = strings.ToValidUTF8(s[:maxName], "") + "…"
	}
	return s
}
