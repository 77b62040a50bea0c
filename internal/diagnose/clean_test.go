package diagnose

import (
	"strings"
	"testing"
	"unicode"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ message, want string }{
		{"plain", "plain"},
		{"two\nlines\tand\x1b[31m colour", "two lines and [31m colour"},
		{`spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: field is immutable`, "spec.selector: field is immutable"},
		{`data.key: Invalid value: "hunter2 \" more": must be short`, "data.key: must be short"},
		{"clone https://me:secret@git.example.org/x: 401", "clone https://…@git.example.org/x: 401"},
		{"header Bearer abcdefghijklmnop1234 refused", "header Bearer … refused"},
		{"right\u202eleft", "right left"},
	} {
		if got := Clean(tt.message); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.message, got, tt.want)
		}
	}
}

// FuzzClean holds what is told of messages to one bounded line.
func FuzzClean(f *testing.F) {
	f.Add("a\nb")
	f.Add(`Invalid value: "x": y`)
	f.Add(strings.Repeat("é", 500))
	f.Fuzz(func(t *testing.T, message string) {
		got := Clean(message)
		if len(got) > 4*maxText {
			t.Errorf("%d bytes", len(got))
		}
		if i := strings.IndexFunc(got, unicode.IsControl); i >= 0 {
			t.Errorf("a control character is left in %q", got)
		}
		quote(got, "")
	})
}
