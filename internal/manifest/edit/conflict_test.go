package edit

import "testing"

func TestConflicts(t *testing.T) {
	const text = "a:\n  b: 1\n  l:\n    - x\n"
	set := func(value string, path ...string) Edit { return Set("f.yaml", 1, path, value) }
	insert := func(yaml string, path ...string) Edit { return Insert("f.yaml", 1, path, yaml) }
	remove := func(path ...string) Edit { return Remove("f.yaml", 1, path) }
	for _, pair := range [][2]Edit{
		{set("1", "a", "b"), set("2", "a", "b")},
		{set("1", "a", "c"), set("2", "a", "c", "d")},
		{set("1", "a", "b"), remove("a")},
		{set("1", "a", "b"), remove("a", "b")},
		{remove("a", "l"), remove("a", "l", "0")},
		{remove("a", "l"), insert("- z", "a", "l")},
		{set("1", "a", "n"), insert("- z", "a", "n")},
		{insert("n: 1", "a"), insert("n: 2", "a")},
		{insert("n:\n  - 1", "a"), insert("- 2", "a", "n")},
		{insert("n: 1", "a"), set("1", "a", "n")},
	} {
		for _, edits := range [][]Edit{{pair[0], pair[1]}, {pair[1], pair[0]}} {
			refuseAll(t, []refused{{pair[0].String() + ", " + pair[1].String(), text, edits, 1, "another edit gets in its way"}})
		}
	}
	check(t, text, []Edit{set("2", "a", "b"), set("2", "a", "b")}, "a:\n  b: \"2\"\n  l:\n    - x\n")
	other := set("1", "a", "b")
	other.File = "g.yaml"
	if _, err := Apply([]byte(text), set("1", "a", "b"), other); err == nil {
		t.Error("edits of two files were made in one")
	}
}

func TestNothingToDo(t *testing.T) {
	const broken = "a: }\n"
	check(t, broken, nil, broken)
}
