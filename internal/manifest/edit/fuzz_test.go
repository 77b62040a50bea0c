package edit

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/manifest"
)

// FuzzApply makes any edit to any text, and compares what was there with what is there
// then by its values alone, knowing nothing of how the edit was made.
func FuzzApply(f *testing.F) {
	for _, text := range []string{
		"a: 1 # why\nb:\n  - c: 'x'\n  - \"y\"\n",
		"a: &a\n  b: 1\nc: *a\nd:\n  <<: *a\n",
		"a: |\n  b: 1\n  c:\n  - d\n---\ne: {f: [g, 'h'], i: {}}\n",
		"a: >-\n  one\n  two\n\n\nb: |+\n  x\n\nc: ~\nd:\n",
		"- a\r\n- - b\r\n  - c: d\r\n    e: f\r\n",
		"[\n  {\"a\": 1, \"b\": null},\n  2, # x\n]",
		"? a\n: b\nc: one\n  two\n",
		"a: !!str 1\nb: &x !t {}\nc: [d: e]\n",
	} {
		for _, path := range []string{"", "/a", "/a/b", "/b/0/c", "/0/a", "/e/f/1", "/x/y"} {
			for op := range byte(5) {
				f.Add([]byte(text), op, 1, path, "n: [x, 'z']\no: 2", byte(0))
				f.Add([]byte(text), op, 2, path, "- x\n- y", byte(1))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, op byte, line int, path, value string, kind byte) {
		e := Edit{
			File: "f.yaml", Line: line, Path: path, Value: value,
			Op: []Op{OpSet, OpInsert, OpRemove, OpComment, OpUncomment}[op%5],
		}
		switch e.Op {
		case OpSet:
			e.Type = []string{typeString, typeInteger, typeBoolean}[kind%3]
		case OpInsert:
			e = Insert(e.File, line, e.Steps(), value)
		case OpComment:
			e = CommentAbove(e.File, line, value)
		}
		_ = e.String()
		before := string(text)
		got, err := Apply(text, e)
		if string(text) != before {
			t.Fatal("the given text was written to")
		}
		if err != nil {
			if string(got) != before {
				t.Fatalf("refused and changed: %v", err)
			}
			_ = err.Error()
			return
		}
		was := values(t, text)
		oracle{t, e}.compare(was, values(t, got))
		if e.Op == OpSet && len(was) == 1 {
			e.Line = 0 // The line of the document may be another now.
			again, err := Apply(got, e)
			if err != nil || string(again) != string(got) {
				t.Errorf("set once:\n%s\nset again: %v\n%s", got, err, again)
			}
		}
	})
}

// values returns those of all documents.
func values(t *testing.T, text []byte) []any {
	docs, err := manifest.Parse("f.yaml", text)
	if err != nil {
		t.Fatalf("the text cannot be read: %v\n%s", err, text)
	}
	list := make([]any, len(docs))
	for i, d := range docs {
		list[i], _ = d.Value()
	}
	return list
}

// oracle says whether an edit made one value of another.
type oracle struct {
	t    *testing.T
	edit Edit
}

func (o oracle) compare(before, after []any) {
	if len(before) != len(after) {
		o.t.Fatalf("%d documents have become %d", len(before), len(after))
	}
	others := 0
	for i := range before {
		switch {
		case o.edit.Op == OpUncomment && !cmp.Equal(before[i], after[i]),
			o.edit.Op == OpComment && !o.commented(before[i], after[i]),
			!o.edit.aboutComment() && !cmp.Equal(before[i], after[i]) && !o.became(before[i], after[i], o.edit.Steps()):
			o.t.Errorf("%s:\n%s", o.edit, cmp.Diff(before[i], after[i]))
		case !cmp.Equal(before[i], after[i]):
			others++
		}
	}
	if others > 1 {
		o.t.Errorf("%s: %d documents have changed", o.edit, others)
	}
}

// commented reports whether values are equal but for text that is equal as YAML.
func (o oracle) commented(before, after any) bool {
	return cmp.Equal(before, after, cmp.FilterValues(func(a, b string) bool { return a != b }, cmp.Comparer(func(a, b string) bool {
		return cmp.Equal(values(o.t, []byte(a)), values(o.t, []byte(b)))
	})))
}

// became reports whether after is before with the edit made at a path.
func (o oracle) became(before, after any, path []string) bool {
	if text, ok := before.(string); ok && (len(path) > 0 || o.edit.Op == OpInsert) {
		inner, ok := after.(string)
		return ok && o.became(values(o.t, []byte(text))[0], values(o.t, []byte(inner))[0], path)
	}
	if len(path) == 0 {
		return o.made(before, after)
	}
	switch a := after.(type) {
	case map[string]any:
		b, ok := before.(map[string]any)
		if !ok && before != nil {
			return false
		}
		if o.edit.Op == OpRemove && len(path) == 1 {
			_, still := a[path[0]]
			return !still && cmp.Equal(without(b, path[0]), a)
		}
		return cmp.Equal(without(b, path[0]), without(a, path[0])) && o.became(b[path[0]], a[path[0]], path[1:])
	case []any:
		b, ok := before.([]any)
		i, err := strconv.Atoi(path[0])
		if !ok || err != nil || i >= len(b) {
			return false
		}
		if o.edit.Op == OpRemove && len(path) == 1 {
			return cmp.Equal(append(append([]any{}, b[:i]...), b[i+1:]...), a)
		}
		return len(a) == len(b) && cmp.Equal(b[:i], a[:i]) && cmp.Equal(b[i+1:], a[i+1:]) && o.became(b[i], a[i], path[1:])
	}
	return false
}

func without(m map[string]any, key string) map[string]any {
	rest := map[string]any{}
	for k, v := range m {
		if k != key {
			rest[k] = v
		}
	}
	return rest
}

// made reports whether a value at the end of the path is as the edit says.
func (o oracle) made(before, after any) bool {
	if o.edit.Op == OpSet {
		switch o.edit.Type {
		case typeString:
			return after == o.edit.Value
		case typeBoolean:
			_, ok := after.(bool)
			return ok
		}
		switch after.(type) {
		case int64, float64:
			return true
		}
		return false
	}
	switch added := values(o.t, []byte(o.edit.Value+"\n"))[0].(type) {
	case []any:
		old, _ := before.([]any)
		return cmp.Equal(append(append([]any{}, old...), added...), after)
	case map[string]any:
		old, _ := before.(map[string]any)
		all := without(old, "")
		if v, ok := old[""]; ok {
			all[""] = v
		}
		for k, v := range added {
			if _, there := all[k]; there {
				return false
			}
			all[k] = v
		}
		return cmp.Equal(all, after)
	}
	return false
}

// FuzzOrder makes two edits in both orders, which must come to the same.
func FuzzOrder(f *testing.F) {
	const text = "a: # why\n  b: 1\n  l:\n  - x\n  - v: |\n      c: 1\n---\nd: {e: [1, 2]}\nn:\n"
	paths := []string{"/a", "/a/b", "/a/l", "/a/l/1", "/a/l/1/v/c", "/d/e", "/n/o"}
	for i, path := range paths {
		for _, other := range paths[i:] {
			f.Add([]byte(text), byte(i), byte(i+1), 1, 7, path, other, "- x", "k: 1")
			f.Add([]byte(text), byte(2), byte(3), 7, 2, path, other, "k: 1", "k: 1")
		}
	}
	ops := []Op{OpSet, OpInsert, OpRemove, OpComment, OpUncomment}
	f.Fuzz(func(t *testing.T, text []byte, op, op2 byte, line, line2 int, path, path2, value, value2 string) {
		one := Edit{File: "f.yaml", Line: line, Path: path, Value: value, Op: ops[op%5], Type: typeString}
		two := Edit{File: "f.yaml", Line: line2, Path: path2, Value: value2, Op: ops[op2%5], Type: typeString}
		forth, err := Apply(text, one, two)
		back, err2 := Apply(text, two, one)
		if string(forth) != string(back) || (err == nil) != (err2 == nil) {
			t.Errorf("one way: %v\n%s\nthe other: %v\n%s", err, forth, err2, back)
		}
		if err == nil {
			values(t, forth)
		}
	})
}
