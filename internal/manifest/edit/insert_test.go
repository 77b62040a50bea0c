package edit

import "testing"

func TestInsertEntries(t *testing.T) {
	insert := func(yaml string, path ...string) []Edit { return []Edit{Insert("f.yaml", 1, path, yaml)} }
	run(t, []edited{
		{"entry", "metadata:\n  annotations:\n    a: b # why\n    # c: d\n\n# next\nspec: {}\n", insert(`reload: "true"`, "metadata", "annotations"),
			"metadata:\n  annotations:\n    a: b # why\n    reload: \"true\"\n    # c: d\n\n# next\nspec: {}\n"},
		{"root", "a: 1\n\n# end\n", insert("b:\n  - 1\n  # two\n  - 2\n"), "a: 1\nb:\n  - 1\n  # two\n  - 2\n\n# end\n"},
		{"parents", "metadata:\n    name: x\n", insert(`reload: "true"`, "metadata", "annotations"), "metadata:\n    name: x\n    annotations:\n        reload: \"true\"\n"},
		{"empty brackets", "a: {}\nb: 1\n", insert("# first\nx: |\n  one\n\n  two\nz: 1", "a"), "a:\n  # first\n  x: |\n    one\n\n    two\n  z: 1\nb: 1\n"},
		{"brackets", "a: {b: 'c'}\n", insert("x: 'o'\nz: [1, \"2\", {}, {k: v}]\n\"l\": null", "a"), "a: {b: 'c', x: 'o', z: [1, \"2\", {}, {k: v}], \"l\": null}\n"},
		{"JSON", "{\n  \"a\": \"b\"\n}\n", insert("x: v\nz: [w]"), "{\n  \"a\": \"b\",\n  \"x\": \"v\",\n  \"z\": [\"w\"]\n}\n"},
		{"in an item without indentation", "a:\n- name: x\n- name: z\nb: 1\n", insert("c: 1", "a", "0"), "a:\n- name: x\n  c: 1\n- name: z\nb: 1\n"},
		{"in an item of an item", "a:\n  - - b: 1\n    - b: 2\n", insert("c: 1", "a", "0", "0"), "a:\n  - - b: 1\n      c: 1\n    - b: 2\n"},
	})
	check(t, "--- # here\na: 1\n...\n", insert("b: 2"), "--- # here\na: 1\nb: 2\n...\n")
	check(t, "\uFEFFa: 1\n", insert("b: 2"), "\uFEFFa: 1\nb: 2\n")
	check(t, "a: 1\r\nb: 1\n", insert("c:\n  - 2", "d"), "a: 1\r\nb: 1\nd:\n  c:\n    - 2\n")
}

func TestInsertItems(t *testing.T) {
	insert := func(yaml string, path ...string) []Edit { return []Edit{Insert("f.yaml", 1, path, yaml)} }
	run(t, []edited{
		{"item", "resources:\n  - a.yaml # first\n  # - b.yaml\n", insert("- c.yaml", "resources"), "resources:\n  - a.yaml # first\n  - c.yaml\n  # - b.yaml\n"},
		{"not indented", "resources:\n- a.yaml\nimages: []\n", insert("- c.yaml\n- d.yaml", "resources"), "resources:\n- a.yaml\n- c.yaml\n- d.yaml\nimages: []\n"},
		{"mappings", "spec:\n  dependsOn:\n    - name: a\n      namespace: b\n  path: c\n", insert("- name: d\n  namespace: e", "spec", "dependsOn"),
			"spec:\n  dependsOn:\n    - name: a\n      namespace: b\n    - name: d\n      namespace: e\n  path: c\n"},
		{"missing list", "spec:\n  path: c\n", insert("- name: d", "spec", "dependsOn"), "spec:\n  path: c\n  dependsOn:\n    - name: d\n"},
		{"missing list, as others", "spec:\n  others:\n  - c\n", insert("- name: d", "spec", "dependsOn"), "spec:\n  others:\n  - c\n  dependsOn:\n  - name: d\n"},
		{"null", "a:\n  x:\n  - 1\n  b: # why\nc: 1\n", insert("- 1", "a", "b"), "a:\n  x:\n  - 1\n  b: # why\n  - 1\nc: 1\n"},
		{"empty brackets", "a:\n  b: []\nc: 1\n", insert("- name: x\n  k: |\n    text", "a", "b"), "a:\n  b:\n    - name: x\n      k: |\n        text\nc: 1\n"},
		{"brackets", "a: [1, 2 ] # why\n", insert("- 3\n- {a: b}", "a"), "a: [1, 2, 3, {a: b} ] # why\n"},
		{"brackets with a last comma", "a: [1, 2, ]\n", insert("- 3", "a"), "a: [1, 2, 3, ]\n"},
		{"lines", "a: [\n  1, # one\n  2 # two\n]\nb: 1\n", insert("- 3", "a"), "a: [\n  1, # one\n  2, # two\n  3\n]\nb: 1\n"},
		{"lines with a last comma", "a: [\n  1,\n  2, # two\n]\nb: 1\n", insert("- 3\n- 4", "a"), "a: [\n  1,\n  2, # two\n  3,\n  4,\n]\nb: 1\n"},
		{"lines without comments", "a:\n  [\n    {b: 1},\n    {c: 2}]\nb: 1\n", insert("- {d: 3}", "a"), "a:\n  [\n    {b: 1},\n    {c: 2},\n    {d: 3}]\nb: 1\n"},
		{"list in a list", "a:\n- - x\n- - z\n", insert("- v", "a", "0"), "a:\n- - x\n  - v\n- - z\n"},
		{"empty list in a list", "a:\n- []\n- - z\n", insert("- v", "a", "0"), "a:\n-\n  - v\n- - z\n"},
		{"behind an anchor", "a: &a\n- x\n", insert("- v", "a"), "a: &a\n- x\n- v\n"},
		{"twice the same", "a:\n- x\n", append(insert("- v", "a"), insert("- v\n", "a")...), "a:\n- x\n- v\n"},
		{"two", "a:\n- x\n", append(insert("- v", "a"), insert("- w", "a")...), "a:\n- x\n- v\n- w\n"},
	})
	check(t, "- x\n", insert("- v"), "- x\n- v\n")
	check(t, "[]\n", insert("- v"), "[v]\n")
}

func TestInsertRefused(t *testing.T) {
	insert := func(yaml string, path ...string) []Edit { return []Edit{Insert("f.yaml", 1, path, yaml)} }
	refuseAll(t, []refused{
		{"there already", "a:\n  b: 1\n", insert("b: 2", "a"), 2, `"b" is there already`},
		{"item into a mapping", "a:\n  b: 1\n", insert("- b", "a"), 2, "it is a mapping and has no items"},
		{"entry into a list", "a:\n  - b\n", insert("b: 1", "a"), 2, "it is a list and has no fields"},
		{"into a value", "a: b\n", insert("b: 1", "a"), 1, "it is a single value"},
		{"broken", "a: {}\n", insert("b: [", "a"), 1, "what is inserted cannot be read"},
		{"a value", "a: {}\n", insert("b", "a"), 1, "neither a block mapping nor a block list"},
		{"brackets", "a: {}\n", insert("{b: 1}", "a"), 1, "neither a block mapping nor a block list"},
		{"indented", "a: {}\n", insert("  b: 1", "a"), 1, "without indentation"},
		{"nothing", "a: {}\n", insert("", "a"), 1, "not one piece"},
		{"two documents", "a: {}\n", insert("b: 1\n---\nc: 1", "a"), 1, "not one piece"},
		{"divider", "a: 1\n", insert("---\nc: 1"), 1, "would be other documents"},
		{"anchor", "a: {}\n", insert("b: &x 1", "a"), 1, "has anchors"},
		{"merge key", "a: {}\n", insert("<<: {b: 1}", "a"), 1, "has anchors, aliases or merge keys"},
		{"text between brackets", "a: {b: 1}\n", insert("c: |\n  one\n  two", "a"), 1, "several lines cannot be inserted between brackets"},
		{"comment between brackets", "a: {b: 1}\n", insert("c: 1 # why", "a"), 1, "a comment cannot be inserted between brackets"},
		{"into what is merged", "a: &a {x: {}}\nb:\n  <<: *a\n", insert("c: 1", "b", "x"), 3, "comes from a merge key"},
		{"over what is merged", "a: &a {x: {}}\nb:\n  <<: *a\n", insert("x: 1", "b"), 3, "comes from a merge key"},
		{"tagged null", "a: !!null\n", insert("c: 1", "a"), 1, "it has a tag (!!null)"},
		{"last text without line break", "a:\n  b: |\n    x", insert("c: 1", "a"), 1, "other values would change"},
	})
}
