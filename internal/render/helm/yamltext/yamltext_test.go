package yamltext

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	"sigs.k8s.io/yaml"
)

// texts are strings whose YAML is of every style.
var texts = []string{
	"", " ", "plain", "with space", " before", "after ", "a: b", "a:", ":a", "a :b", "# a", "a # b", "a#b", "- a", "-a", "-", "--", "---", "--- a", "...", "? a", "?", "?a",
	"true", "True", "yes", "y", "n", "off", "Off", "oN", "null", "~", "~a", "nullable", "1", "-1", "+1", "01", "0x1f", "0b11", "-0b11", "0b+1", "0o7", "1_000", "1.5", "1.", ".5", ".", "..", ".inf", "-.inf", "+.INF", ".iNf",
	"1e3", "1e", "e1", "10Gi", "500m", "1.2.3", "192.168.1.1", "8080:80", "1:30", "1:60", "12:30:45", "12:30:45.5", "2024-01-01", "2024-1-1 10:00:00", "2024-01-01T00:00:00Z", "2024-01-01x", "20240101", "123456789012345678901234567890", "9223372036854775808", "99999999999999999", "-99999999999999999",
	"*", "*a", "&a", "!a", "|", "| a", ">", ">a", "'", "'a'", "a'b", "\"", "\"a\"", "a\"b", "\\", "a\\b", "%a", "@a", "`a`", "[a]", "{a}", "a, b", ",a", "<<", "=", "a\tb", "\t", "line\n", "two\nlines", "two\nlines\n", "two\nlines\n\n", "\n", "\n\n", " x\ny", "\nx", "x \ny", "x\n y\n", "x\n\n\ny", "x\ty\nz", "x: y\nz: a\n", "x\n ", "# c\nx", "é", "ünï: x", "日本", "日本\n語", "\U0001F600", "\u00a0", "\u0085", "\u2028", "a\u2029b\n", "\ufeff", "\x00", "\x7f", "\x1b[0m", "\xff", "<a href=\"x\">&</a>",
	strings.Repeat("word ", 30), strings.Repeat("word ", 30) + "end", strings.Repeat("a", 100) + " b", "'" + strings.Repeat("it's  double ", 20) + "x", strings.Repeat("x\ty ", 40) + "z", "12 " + strings.Repeat("1 ", 60) + "1", strings.Repeat("é ", 90) + "é", strings.Repeat("long\tline  with words ", 8) + "\nnext",
	"a-b_c/d.e", "-Dfoo=bar", "--flag=value", "http://example.org:80/x?y=z#f", "{{ .Values.a }}", "$(A)", "${A}", "%(x)s", "key=value", "a;b", "!", "-1.5e10", "0.1", "1.0", "-0", "-0.0", "00", "0",
}

func values() []any {
	list := []any{nil, true, false, 0, -1, int64(1) << 60, 1.0, 1.5, -2.25, 0.1, 1e-7, 1e14, 1e15, 1e20, 1e21, -0.0, math.Copysign(0, -1), json.Number("1"), json.Number("-0"), json.Number("1.50"), json.Number("1e3"), json.Number("1E400"), json.Number("0.0"), json.Number("12345678901234567890"),
		map[string]any{}, map[string]any(nil), common.Values{}, []any{}, []any(nil), []string{}, []string{"a"}, []int{1}, []int64{2}, math.NaN(), math.Inf(1), map[string]string{"a": "b"}, map[int]string{1: "b"}, uint8(3), struct{ A int }{1}, []byte("bytes"), func() {},
		map[string]any{"b": nil, "a": []any{[]any{1, []any{2, 3}, []any{}}, map[string]any{"x": []any{map[string]any{"y": 1, "z": map[string]any{"q": 1}}}, "a": map[string]any{}}, "t\nu"}, "c": map[string]any{"d": common.Values{"e": "f\ng\n"}}},
		[]any{map[string]any{"a": "x\n", "b": 2}, "y\n\n", []any{"z\n"}, nil}, []map[string]any{{"a": 1}, nil, {}},
		map[string]any{"a2": 1, "a10": 1, "a1": 1, "b": 1, "a": 1, "A": 1, "_": 1, "a-b": 1, "a.b": 1, "a01": 1, "a001": 1, "1": 1, "10": 1, "9": 1, "": 1, "a 1": 1, "100": 1, "1000": 1},
		map[string]any{"é": 1, "e": 2}, map[string]any{strings.Repeat("k", 128): 1}, map[string]any{strings.Repeat("k", 129): 1}, map[string]any{"a\nb": 1}, map[string]any{"true": 1, "1": 2, "a: b": 3, "- x": 4, "a\tb": 5, "~": 6},
	}
	for _, text := range texts {
		list = append(list, text, map[string]any{"k": text}, map[string]any{text: 1}, []any{text}, []any{map[string]any{"a": map[string]any{"b": text}, "c": 1}}, map[string]any{"l": []any{text, text}})
	}
	return list
}

// theLibrarys is what Helm's toYaml makes.
func theLibrarys(value any) string {
	data, err := yaml.Marshal(value)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(data), "\n")
}

func TestWritesAsTheLibrary(t *testing.T) {
	sure := 0
	for _, value := range values() {
		got, err := String(value)
		if err != nil {
			t.Errorf("%v: %v", value, err)
		}
		if want := theLibrarys(value); got != want {
			t.Errorf("%#v:\n%q, want\n%q", value, got, want)
		}
		if _, err := Write(value); err == nil {
			sure++
		}
	}
	if share := float64(sure) / float64(len(values())); share < 0.8 {
		t.Errorf("only %.0f %% are written without the library", 100*share)
	}
}

func TestReadsAsTheLibrary(t *testing.T) {
	sure, all := 0, 0
	check := func(text string) {
		all++
		if _, ok := Read(text); ok {
			sure++
		}
		checkRead(t, text)
	}
	for _, value := range values() {
		check(theLibrarys(value))
	}
	for _, text := range texts {
		check("k: " + text)
		check("- " + text)
		check("k:\n  " + text)
		check("k: |\n  " + strings.ReplaceAll(text, "\n", "\n  "))
	}
	for _, text := range []string{
		"", "a:", "a:\n", "a:\nb:\n- 1\n- 2\nc:\n  - x\n", "- a: 1\n  b: 2\n-\n- - x\n  - y\n-   z: 1\n    y: 2\n", "a:\n    b: 1\n  c: 2\n", "a: 1\n b: 2\n", "a: x\n  y\n", "a: 1\na: 2\n",
		"# c\na: 1 # d\n\n  # e\nb: 2\n", "a: |\n\n  x\n\n  y\n\nb: |-\n  z\n\nc: |+\n  w\n\n", "a: |\nb: 1", "a: |\n   x\n  y\n", "a: |2\n   x\n", "a: >-\n  x\n  y\n", "a: |\n  x", "a: |+\n  x\n\n\n", "a: |-\n  x\n\n  # no comment\n# comment\nb: 1\n",
		"a: {b: c}\nd: [1, 2]\n", "a: {}\nb: []\n", "a: { }\n", "{\"a\": 1}", "'a b': 1\n\"c\": '2'\n", "'a''b': 1", "\"a\\nb\": 1", "a: 'x''y'\nb: \"\\t\\\"\\\\\"\n", "a: 'x' # c\n", "a: 'x'y\n", "---\na: 1\n", "a: 1\n---\nb: 2\n", "a: 1\n...\n", "%YAML 1.1\n---\na: 1\n",
		"a: &x 1\nb: *x\n", "a: !!str 1\n", "<<: {a: 1}\n", "? a\n: b\n", "a:\n- b:\n  - c\n  d: 1\n", "a: - b\n", "- a\nb: 1\n", "a: 1\n- b\n", "yes: 1\non: 2\n", "1: a\n", "1.5: b\n", "~: c\n", "null: d\n", "a:b\n", "a:  b  \n", "a: b:c\n", "a :b\n", "a : b\n", "a: \"x\n  y\"\n", "  a: 1\n  b: 2\n", "  a: 1\nb: 2\n",
		"a:\n\n  b: 1\n", "a: \n  - b\n", "-\n  a: 1\n", "- \n - 1\n", "-   - 1\n    - 2\n", "- - 1\n - 2\n", "a: 1\r\nb: 2\r\n", "a:\tb\n", "- key\n- \"a: b\"\n- 'c': d\n", "a: -\n", "a: -1\nb: - 1\n", "a: 1_000\nb: 0x10\nc: 1e3\nd: -0\ne: 2024-01-01\nf: -0.0\ng: 0.10\nh: 1.0\n", "a.b/c-d: x\n@a: 1\n", "a: @b\n", "- ? a\n",
		"a: b\n    # comment\nc: d\n", "a:\n  # comment\n  b: 1\n  # more\nc: 1\n", "a:\n- b\n # c\n- d\n", "a: [\n]\n", "a: |\n  x\n \n  y\n", "a: |\n  x\n   \n", "x: a\n\n\ny: b", "-", "- ", "--", "a", "\"a\"", "a: ''\nb: \"\"\n",
	} {
		check(text)
	}
	if share := float64(sure) / float64(all); share < 0.5 {
		t.Errorf("only %.0f %% are read without the library", 100*share)
	}
}

// checkRead holds what is read to what Helm's fromYaml and fromYamlArray read.
func checkRead(t *testing.T, text string) {
	t.Helper()
	m := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		m["Error"] = err.Error()
	}
	if got := Map(text); !cmp.Equal(m, got) {
		t.Errorf("%q (-library +own):\n%s", text, cmp.Diff(m, got))
	}
	list := []any{}
	if err := yaml.Unmarshal([]byte(text), &list); err != nil {
		list = []any{err.Error()}
	}
	if got := List(text); !cmp.Equal(list, got) {
		t.Errorf("%q (-library +own):\n%s", text, cmp.Diff(list, got))
	}
}

func TestEndlessValuesAreRefused(t *testing.T) {
	self := map[string]any{}
	self["self"] = self
	doubled := any("x")
	for range 60 {
		doubled = []any{doubled, doubled}
	}
	strange := any([]byte("x"))
	for range 60 {
		strange = map[string]any{"a": strange, "b": strange}
	}
	for name, value := range map[string]any{"itself": self, "doubled": doubled, "of a rare type": strange} {
		if _, err := String(value); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		if Bounded(value) {
			t.Errorf("%s is thought to be bounded", name)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, value := range values() {
		f.Add(theLibrarys(value))
	}
	f.Add("a:\n- b: |\n    c\n  d: 'e'\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 1<<12 {
			checkRead(t, text)
		}
	})
}

func FuzzWrite(f *testing.F) {
	for _, text := range texts {
		f.Add(text, "key", 1.5)
	}
	f.Fuzz(func(t *testing.T, text, key string, number float64) {
		for _, value := range []any{text, map[string]any{key: text, text: []any{key, text}}, []any{map[string]any{"a": map[string]any{key: number}}, []any{text, number, json.Number(key)}}} {
			if got, err := String(value); err != nil || got != theLibrarys(value) {
				t.Errorf("%#v:\n%q, want\n%q (%v)", value, got, theLibrarys(value), err)
			}
		}
	})
}
