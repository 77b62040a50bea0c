package manifest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	docs, err := Parse("a.yaml", []byte(`---
# nothing here
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: media
---
kind: List
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(docs) != 2 || docs[0].Line != 4 || docs[1].Line != 10 {
		t.Fatalf("got %d documents", len(docs))
	}
	d := docs[0]
	got := []string{d.APIVersion(), d.Group(), d.Kind(), d.Namespace(), d.Name(), d.Ref().String(), d.Place("metadata", "name").String()}
	want := []string{"apps/v1", "apps", "Deployment", "media", "web", "Deployment media/web", "a.yaml:7"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !d.IsObject() || docs[1].IsObject() {
		t.Error("IsObject is wrong")
	}
}

func TestParseProblems(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 10), ", "))
	}
	for _, test := range []struct {
		name, text, want string
		docs             int
	}{
		{"syntax", "a: 1\nb: [1\nc: 2\n", "f.yaml:", 0},
		{"good before bad", "a: 1\n---\nb: }\n", "f.yaml:3: not valid YAML", 1},
		{"unindented", "a:\n  b: 1\n  c: 2\nd: 1\n e: 2\nf: 1\n", "f.yaml:5: not valid YAML", 0},
		{"tab", "a:\n\tb: 1\n", "f.yaml:2: not valid YAML", 0},
		{"duplicate", "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", `f.yaml:5: key "c" is given again, first in line 3`, 1},
		{"not UTF-8", "a: 1\nb: \xff\n", "f.yaml:2: the text is not UTF-8", 0},
		{"unknown anchor", "a: 1\nb:\n  - *x\nc: 1\n", "f.yaml:3: not valid YAML: unknown anchor", 0},
		{"own anchor", "a: &x\n  b: *x\n", `f.yaml:2: anchor "x" contains itself`, 0},
		{"deep", strings.Repeat("[", 200) + strings.Repeat("]", 200), "f.yaml:1: nested deeper than 100 levels", 0},
		{"very deep", strings.Repeat("[", 20000), "exceeded max depth", 0},
		{"many laughs", bomb, "f.yaml:1: more than 524288 values", 0},
		{"large", strings.Repeat("#", MaxSize+1), "f.yaml: the file has", 0},
		{"much text", "a: &a " + strings.Repeat("x", 1<<20) + "\nb: [" + strings.Repeat("*a, ", 50) + "]\n", "f.yaml:1: more than 41943040 bytes", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			docs, err := Parse("f.yaml", []byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %.200v, want %q", err, test.want)
			}
			if len(docs) != test.docs {
				t.Errorf("%d documents, want %d", len(docs), test.docs)
			}
			for _, p := range Problems(err) {
				if p.Place.File != "f.yaml" {
					t.Errorf("the problem %v has no file", p)
				}
			}
		})
	}
}

func TestProblemsHoldNoValue(t *testing.T) {
	docs, err := Parse("s.yaml", []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: hunter2}\ndata: hunter3\n"))
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ Data map[string]int }
	err = docs[0].Decode(&v)
	if err == nil || strings.Contains(err.Error(), "hunter3") || !strings.Contains(err.Error(), "s.yaml:1: ") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a: &a {b: 1}\nc: {<<: *a, d: [*a]}\n---\n- x\n")
	f.Add("a: &a [*a]")
	f.Add("? [complex]\n: |-\n  text\n? !!binary aGk=\n: 2001-01-01\n")
	f.Add("<<: {<<: [{a: 1}, {b: .inf}]}\n0x1F: 0o7\nk: 99999999999999999999\n")
	f.Fuzz(func(t *testing.T, text string) {
		docs, err := Parse("f.yaml", []byte(text))
		for _, d := range docs {
			if d.Line < 1 || d.Line > strings.Count(text, "\n")+strings.Count(text, "\r")+strings.Count(text, "\u0085")+strings.Count(text, "\u2028")+strings.Count(text, "\u2029")+1 {
				t.Errorf("document at line %d", d.Line)
			}
			object := d.Object()
			for key := range object {
				if d.FieldLine(key) < 1 {
					t.Errorf("key %q has no line", key)
				}
				if _, ok := d.Value(key); !ok {
					t.Errorf("key %q is not found", key)
				}
			}
			var v map[string]any
			if object != nil && d.Decode(&v) != nil {
				t.Error("an object cannot be decoded")
			}
		}
		if err != nil && len(Problems(err)) == 0 {
			t.Error("an error without a problem")
		}
	})
}
