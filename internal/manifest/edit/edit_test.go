package edit

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// edited is one row of the tables: what edits make of a text. Each is also
// run with CRLF, without the last line break, and as the second of three documents.
type edited struct {
	name  string
	text  string
	edits []Edit
	want  string
}

func p(path ...string) []string { return path }

func run(t *testing.T, tests []edited) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			check(t, test.text, test.edits, test.want)
			t.Run("CRLF", func(t *testing.T) {
				crlf := strings.NewReplacer("\n", "\r\n")
				check(t, crlf.Replace(test.text), test.edits, crlf.Replace(test.want))
			})
			t.Run("no line break at the end", func(t *testing.T) {
				check(t, strings.TrimSuffix(test.text, "\n"), test.edits, strings.TrimSuffix(test.want, "\n"))
			})
			t.Run("among documents", func(t *testing.T) {
				around := func(s string) string { return "a: 1 # first\n\n---\n" + s + "---\n# third\nz: {}\n" }
				moved := make([]Edit, len(test.edits))
				for i, e := range test.edits {
					e.Line += 3
					moved[i] = e
				}
				check(t, around(test.text), moved, around(test.want))
			})
			t.Run("reversed", func(t *testing.T) {
				reversed := make([]Edit, 0, len(test.edits))
				for i := range test.edits {
					reversed = append(reversed, test.edits[len(test.edits)-1-i])
				}
				check(t, test.text, reversed, test.want)
			})
		})
	}
}

func check(t *testing.T, text string, edits []Edit, want string) {
	t.Helper()
	got, err := Apply([]byte(text), edits...)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

// refused is one row: why edits are not made, and of which line that is said.
type refused struct {
	name  string
	text  string
	edits []Edit
	line  int
	want  string
}

func refuseAll(t *testing.T, tests []refused) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Apply([]byte(test.text), test.edits...)
			var r *Refusal
			if !errors.As(err, &r) {
				t.Fatalf("got error %v and text\n%s", err, got)
			}
			if string(got) != test.text {
				t.Errorf("the text came back changed:\n%s", got)
			}
			if r.Place.File != "f.yaml" || r.Place.Line != test.line || !strings.Contains(r.Error(), test.want) {
				t.Errorf("got %v\nwant line %d: %s", r, test.line, test.want)
			}
		})
	}
}

func TestEditIsPrintableAndComparable(t *testing.T) {
	for want, e := range map[string]Edit{
		`set spec.interval to 1h`:                                         Set("f.yaml", 1, p("spec", "interval"), "1h"),
		`set spec.patches[0].target.name to "80"`:                         Set("f.yaml", 1, p("spec", "patches", "0", "target", "name"), "80"),
		`set retries to 3`:                                                Set("f.yaml", 1, p("retries"), 3),
		`set enabled to true`:                                             Set("f.yaml", 1, p("enabled"), true),
		`add reload/auto: "true" to metadata.annotations["a.b/c"]`:        Insert("f.yaml", 1, p("metadata", "annotations", "a.b/c"), "reload/auto: \"true\"\n"),
		`add {name: x, namespace: z} to spec.dependsOn`:                   Insert("f.yaml", 1, p("spec", "dependsOn"), "- name: x\n  namespace: z\n"),
		`add text: | … to the document`:                                   Insert("f.yaml", 1, nil, "text: |\n  a\n  b\n"),
		`remove spec["a b"]`:                                              Remove("f.yaml", 1, p("spec", "a b")),
		`put the comment "# hearth:ignore image-digest why" above line 7`: CommentAbove("f.yaml", 7, "hearth:ignore image-digest why"),
	} {
		if got := e.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	a, b := Set("f.yaml", 1, p("a/b", "~c"), "x"), Set("f.yaml", 1, p("a/b", "~c"), "x")
	if a != b || a == Set("f.yaml", 1, p("a", "b", "~c"), "x") {
		t.Error("equal edits are not equal, or others are")
	}
	if diff := cmp.Diff(p("a/b", "~c"), a.Steps()); diff != "" {
		t.Error(diff)
	}
	data, err := json.Marshal(a)
	if want := `{"file":"f.yaml","line":1,"op":"set","path":"/a~1b/~0c","value":"x","type":"string"}`; err != nil || string(data) != want {
		t.Errorf("got %s, %v", data, err)
	}
	var back Edit
	if err := json.Unmarshal(data, &back); err != nil || back != a {
		t.Errorf("came back as %v, %v", back, err)
	}
}
