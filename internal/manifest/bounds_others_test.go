package manifest

import (
	"fmt"
	"strings"
	"testing"
)

func TestCheckBounds(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 10), ", "))
	}
	for text, want := range map[string]string{
		"a: 1\n---\n" + bomb:           "f.yaml:3: more than 524288 values",
		"a: &x\n  b: *x\n":             `f.yaml:2: anchor "x" contains itself`,
		strings.Repeat("#", MaxSize+1): "f.yaml: the file has",
		"a: &x 1\nb: *x\n":             "",
		"a: &x [\nb: *x\n":             "", // no YAML, which others say as well
		"a: \xff & *\n":                "",
	} {
		err := CheckBounds("f.yaml", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}
