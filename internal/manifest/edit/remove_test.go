package edit

import "testing"

func TestRemove(t *testing.T) {
	remove := func(path ...string) []Edit { return []Edit{Remove("f.yaml", 1, path)} }
	run(t, []edited{
		{"entry", "a: 1\nb: 2 # why\nc: 3\n", remove("b"), "a: 1\nc: 3\n"},
		{"with what is below", "a: 1\nb:\n  - x\n  - |\n    text\n\nc: 3\n", remove("b"), "a: 1\n\nc: 3\n"},
		{"with the comment above", "a: 1\n\n# of c\n\n# of b\n# too\nb: 2\nc: 3\n", remove("b"), "a: 1\n\n# of c\n\nc: 3\n"},
		{"first of the document", "# modeline\na: 1\nb: 2\n", remove("a"), "# modeline\nb: 2\n"},
		{"first of a mapping", "x:\n  # of a\n  a: 1\n  b: 2\n", remove("x", "a"), "x:\n  b: 2\n"},
		{"last", "x:\n  a: 1\n  b: 2\n", remove("x", "b"), "x:\n  a: 1\n"},
		{"item", "x:\n- a # 1\n- b # 2\n# of c\n- c # 3\n", remove("x", "2"), "x:\n- a # 1\n- b # 2\n"},
		{"two items and a value", "x:\n  - a\n  - b\n  - c: 1\n  - d\n", []Edit{Remove("f.yaml", 1, p("x", "0")), Remove("f.yaml", 1, p("x", "1")), Set("f.yaml", 1, p("x", "2", "c"), 2)}, "x:\n  - c: 2\n  - d\n"},
		{"ten items", "x:\n  - 0\n  - 1\n  - 2\n  - 3\n  - 4\n  - 5\n  - 6\n  - 7\n  - 8\n  - 9\n  - 10\n", append(remove("x", "2"), remove("x", "10")...), "x:\n  - 0\n  - 1\n  - 3\n  - 4\n  - 5\n  - 6\n  - 7\n  - 8\n  - 9\n"},
		{"first of an item", "x:\n  - a: 1 # why\n    b: 2\n  - c\n", remove("x", "0", "a"), "x:\n  - b: 2\n  - c\n"},
		{"first of an item, comment between", "x:\n  - a: 1 # why\n    # of b\n    b: 2\n", remove("x", "0", "a"), "x:\n  -\n    # of b\n    b: 2\n"},
		{"first of a list in a list", "x:\n  - - a\n    - b\n", remove("x", "0", "0"), "x:\n  - - b\n"},
		{"only entry", "x: # why\n  # of a\n  a: 1\nc: 1\n", remove("x", "a"), "x: {} # why\nc: 1\n"},
		{"only item", "x: &x # why\n- a\nc: 1\n", remove("x", "0"), "x: &x [] # why\nc: 1\n"},
		{"only entry of an item", "x:\n  - a: 1\n  - b\n", remove("x", "0", "a"), "x:\n  - {}\n  - b\n"},
		{"only entry of an item, below its dash", "x:\n  -\n    a: 1\n  - b\n", remove("x", "0", "a"), "x:\n  - {}\n  - b\n"},
		{"replaced", "x:\n- a\n", []Edit{Remove("f.yaml", 1, p("x", "0")), Insert("f.yaml", 1, p("x"), "- b")}, "x:\n- b\n"},
		{"first in brackets", "x: {a: 1, b: 2}\n", remove("x", "a"), "x: {b: 2}\n"},
		{"last in brackets", "x: { a: 1, b: 2 }\n", remove("x", "b"), "x: { a: 1 }\n"},
		{"only one in brackets", "x: [ a, ]\n", remove("x", "0"), "x: []\n"},
		{"lines in brackets", "x: [\n  a,\n  b,\n  c\n]\n", append(remove("x", "1"), remove("x", "2")...), "x: [\n  a\n]\n"},
		{"with anchor and alias", "x:\n  a: &a 1\n  b: 1\nc: 1\n", remove("x", "a"), "x:\n  b: 1\nc: 1\n"},
		{"own alias", "z: &z 1\nx:\n  a: *z\n  b: 1\n", remove("x", "a"), "z: &z 1\nx:\n  b: 1\n"},
		{"merge stays", "z: &z {y: 1}\nx:\n  <<: *z\n  a: 1\n", remove("x", "a"), "z: &z {y: 1}\nx:\n  <<: *z\n"},
	})
}

func TestRemoveRefused(t *testing.T) {
	remove := func(path ...string) []Edit { return []Edit{Remove("f.yaml", 1, path)} }
	refuseAll(t, []refused{
		{"not there", "a:\n  b: 1\n", remove("a", "c"), 2, "it is not there"},
		{"document", "a: 1\n", remove(), 1, "a whole document is not removed"},
		{"only entry of the document", "a: 1\n", remove("a"), 1, "nothing would be left"},
		{"anchor used elsewhere", "a:\n  b: &b 1\n  d: 1\nc: *b\n", remove("a", "b"), 2, "an anchor in it is used elsewhere"},
		{"anchor inside used elsewhere", "a:\n  - x: &b 1\n  - 2\nc: *b\n", remove("a", "0"), 2, "an anchor in it is used elsewhere"},
		{"anchor of the key used elsewhere", "&k a: 1\nc: *k\n", remove("a"), 1, "an anchor in it is used elsewhere"},
		{"anchor used inside only, redefined later", "a: &a 1\nb: [&a 2, *a]\nc: *a\n", remove("b"), 2, "an anchor in it is used elsewhere"},
		{"merge would give it back", "a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n", remove("b", "x"), 4, "a merge key (<<) would give it back"},
		{"comment in brackets", "a: [\n  1, # one\n  2]\n", remove("a", "0"), 1, "a comment between its brackets"},
		{"single pair", "a: [b: 1]\n", remove("a", "0", "b"), 1, "no brackets of its own"},
		{"through an alias", "a: &a {x: 1, y: 2}\nb: *a\n", remove("b", "x"), 2, "it is an alias"},
	})
}
