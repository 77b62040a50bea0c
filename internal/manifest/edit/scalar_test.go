package edit

import (
	"testing"
	"unicode/utf8"

	kubernetes "sigs.k8s.io/yaml"
)

// FuzzSetString sets any string in block and flow style, and reads it as Kubernetes
// does, by another parser that knows YAML 1.1.
func FuzzSetString(f *testing.F) {
	for _, value := range []string{
		"", "x", "yes", "N", "0o7", "0777", "1_000", "1:30:00", "+1", ".5", "1e3", ".inf", "0x_", "0b1", "-.", "2001-01-01", "2001-01-01 00:00:00",
		"a: b", "a #b", "#", "?", "? a", "?a", "-", "- ", "!a", "%a", "@a", "`", "<<", "=", "null", "~", "a\nb", "\u2028", "\uFEFF", "\x00", "\x7f", "\U0001F600",
		"http://x/y?z", "{{ .Values.a }}", "${A:=b}", "a,b", "[a]", "'a'", "\"a\"", "\\", "...", "--- a", "a\t#b", "..", "é ", "\u00a0a",
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, text := range []string{"a: x\nb: 1\n", "a: 'x'\nb: 1\n", "a: \"x\"\nb: 1\n", "a: |\n  x\nb: 1\n", "a: >-\n  x\nb: 1\n", "{a: x, b: 1}\n", "{\"a\": 1, \"b\": 1}", "a:\nb: 1\n", "b: 1\n"} {
			got, err := Apply([]byte(text), Set("f.yaml", 1, p("a"), value))
			if err != nil {
				if utf8.ValidString(value) {
					t.Fatalf("%q in %q: %v", value, text, err)
				}
				continue
			}
			var read struct {
				A any `json:"a"`
				B int `json:"b"`
			}
			if err := kubernetes.UnmarshalStrict(got, &read); err != nil || read.A != value || read.B != 1 {
				t.Errorf("%q was written as\n%s\nand reads as %q, %v", value, got, read.A, err)
			}
		}
	})
}
