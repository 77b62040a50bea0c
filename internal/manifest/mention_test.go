package manifest_test

import (
	"strings"
	"testing"

	"hearth/internal/manifest"
)

func TestMentionLine(t *testing.T) {
	docs, err := manifest.Parse("a.yaml", []byte(`kind: A
---
kind: B
data:
  URL: "postgres://{{ .DB_USERNAME }}@host"
  config: |
    one
    key: {{ .JWT }}
`))
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]int{".DB_USERNAME": 5, ".JWT": 8, "URL": 5, ".NONE": 0} {
		got := docs[1].MentionLine(func(line string) bool { return strings.Contains(line, word) })
		if got != want {
			t.Errorf("%s is mentioned on line %d, want %d", word, got, want)
		}
	}
}
