package manifest

import (
	"regexp"
	"testing"
)

// odd is what DividedByLines looks for, as an expression, which takes far longer.
var odd = regexp.MustCompile(`(?m)\r|^---[ \t]*[^\s#]|^\.\.\.|^%|\x{FEFF}`)

func TestDividedByLines(t *testing.T) {
	for text, want := range map[string]bool{
		"a: 1\n":                    true,
		"---\na: 1\n---\nb: 1\n":    true,
		"--- # first\na: 1\n":       true,
		"a: |\n  --- x\n":           true,
		"a: 1\r\n---\r\nb: 1\r\n":   false,
		"--- {a: 1}\n":              false,
		"---a: 1\n":                 false,
		"a: 1\n...\nb: 1\n":         false,
		"%YAML 1.2\n---\na: 1\n":    false,
		"\ufeffa: 1\n":              false,
		"a: 1\n--- |\n text\n---\n": false,
	} {
		if got := DividedByLines([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func FuzzDividedByLines(f *testing.F) {
	for _, text := range []string{
		"", "a: b\n", "---\na: b\n---\n", "--- a\n", "---\t# note\n", "---\f\n", "--- \x0b\n", "---a", "----\n", "x\n...\n", "a...\n", "%YAML 1.2\n", "a: b\r\n",
		"\uFEFFa: b", "---", "--- ", "-\n--\n", "---\xff", "a\n---\n\n--- |\n", "#%\n", " %\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := DividedByLines(data), !odd.Match(data); got != want {
			t.Errorf("%q: %v, not %v", data, got, want)
		}
	})
}
