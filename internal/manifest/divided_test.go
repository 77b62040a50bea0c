package manifest

import "testing"

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
