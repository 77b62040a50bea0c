package manifest

import (
	"regexp"
	"testing"
)

// odd is what DividedByLines looks for, as an expression, which takes far longer.
var odd = regexp.MustCompile(`(?m)\r|^---[ \t]*[^\s#]|^\.\.\.|^%|\x{FEFF}`)

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
