package edit

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFieldPath(t *testing.T) {
	for text, want := range map[string][]string{
		"spec":                            {"spec"},
		"spec.patches[0].path":            {"spec", "patches", "0", "path"},
		`metadata.annotations["a.b/c"]`:   {"metadata", "annotations", "a.b/c"},
		`["a.b"].c[1][2]`:                 {"a.b", "c", "1", "2"},
		`spec.values["x\"]y"].z`:          {"spec", "values", `x"]y`, "z"},
		`spec.hostnames[0]`:               {"spec", "hostnames", "0"},
		"data.DB_PASSWORD":                {"data", "DB_PASSWORD"},
		"a.b-c.d_e":                       {"a", "b-c", "d_e"},
		`metadata.labels["app.x/y"]["z"]`: {"metadata", "labels", "app.x/y", "z"},
	} {
		got, err := FieldPath(text)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".a", "a..b", "a.", "a[", "a[x]", `a["b"`, `a[0]b`, "a[-1]", "a[01]"} {
		if got, err := FieldPath(text); err == nil {
			t.Errorf("%q was read as %q", text, got)
		}
	}
}

func FuzzFieldPath(f *testing.F) {
	f.Add(`metadata.annotations["a.b/c"].x[0]`)
	f.Fuzz(func(t *testing.T, text string) {
		path, err := FieldPath(text)
		if err != nil {
			return
		}
		again, err := FieldPath(spell(path))
		if err != nil || !cmp.Equal(again, path) {
			t.Errorf("%q is %q, spelled %s, and read as %q, %v", text, path, spell(path), again, err)
		}
	})
}
