package edit

import "testing"

func TestSet(t *testing.T) {
	set := func(value string, path ...string) []Edit { return []Edit{Set("f.yaml", 1, path, value)} }
	run(t, []edited{
		{"plain", "a: 1h # why\nb: 2\n", set("30m", "a"), "a: 30m # why\nb: 2\n"},
		{"single quotes", "a: 'it''s'   # why\n", set("that's", "a"), "a: 'that''s'   # why\n"},
		{"double quotes", "a: \"x\\\"y\"\n", set("1\n\"2\"\\", "a"), "a: \"1\\n\\\"2\\\"\\\\\"\n"},
		{"single quotes that cannot hold it", "a: 'x'\n", set("1\n2", "a"), "a: \"1\\n2\"\n"},
		{"behind an anchor", "a: &x 1h\n", set("2h", "a"), "a: &x 2h\n"},
		{"behind a tag", "a: !!str 1\n", set("2", "a"), "a: !!str \"2\"\n"},
		{"behind both, on the next line", "a: &x !!str\n  # here\n  1\n", set("b", "a"), "a: &x !!str\n  # here\n  b\n"},
		{"over two lines", "a: one\n  two\n\n  three # why\nb: 1\n", set("four", "a"), "a: four # why\nb: 1\n"},
		{"quoted over two lines", "a: \"one\n  two\"\nb: 1\n", set("three", "a"), "a: \"three\"\nb: 1\n"},
		{"quoted key", "\"a b\": c\n", set("d", "a b"), "\"a b\": d\n"},
		{"in a list", "a:\n- b: 1\n  c: x # 1\n- c: x # 2\n", set("z", "a", "1", "c"), "a:\n- b: 1\n  c: x # 1\n- c: z # 2\n"},
		{"list item", "a:\n  - x\n  - y # why\n", set("z", "a", "1"), "a:\n  - x\n  - z # why\n"},
		{"same", "a: 'x'\n", set("x", "a"), "a: 'x'\n"},
		{"same text, other type", "a: 1\n", set("1", "a"), "a: \"1\"\n"},
		{"not ASCII", "ä: [\"ö\", ü, ß]\n", set("é", "ä", "2"), "ä: [\"ö\", ü, \"é\"]\n"},
		{"flow", "a: {b: x, c: [1, y ]}\n", set("z, z", "a", "c", "1"), "a: {b: x, c: [1, \"z, z\" ]}\n"},
		{"JSON", "{\"a\": {\"b\": 1, \"c\": true}}\n", set("x", "a", "b"), "{\"a\": {\"b\": \"x\", \"c\": true}}\n"},
		{"nothing there", "a:   # why\nb: 1\n", set("x", "a"), "a: x   # why\nb: 1\n"},
		{"nothing in a list", "a:\n  -\n  - b\n", set("x", "a", "0"), "a:\n  - x\n  - b\n"},
		{"nothing in brackets", "a: {b: , c: 1}\n", set("x", "a", "b"), "a: {b: x, c: 1}\n"},
		{"null", "a: ~ # why\n", set("x", "a"), "a: x # why\n"},
		{"placeholder", "a: ${X}\n", set("${Y:=1}", "a"), "a: ${Y:=1}\n"},
	})
}

func TestSetKeepsTypes(t *testing.T) {
	for value, want := range map[string]string{
		"true": `"true"`, "3": `"3"`, "": `""`, "null": `"null"`, "yes": `"yes"`, "Off": `"Off"`, "1:30": `"1:30"`,
		"1e3": `"1e3"`, "0x10": `"0x10"`, "2024-01-01": `"2024-01-01"`, "~": `"~"`, "=": `"="`, "<<": `"<<"`,
		"a: b": `"a: b"`, "a #b": `"a #b"`, "- a": `"- a"`, "*a": `"*a"`, " a": `" a"`, "a:": `"a:"`, "---": `"---"`,
		"a#b": "a#b", "-a": "-a", "a:b": "a:b", "1h": "1h", "a, b": "a, b", "{a}": `"{a}"`, "\u0085": `"\u0085"`, "tab\there": `"tab\there"`,
	} {
		check(t, "a: x\n", []Edit{Set("f.yaml", 1, p("a"), value)}, "a: "+want+"\n")
	}
	check(t, "a: \"x\"\nb: x\n", []Edit{Set("f.yaml", 1, p("a"), 3), Set("f.yaml", 1, p("b"), true)}, "a: 3\nb: true\n")
	check(t, "a: 3 # as it was\n", []Edit{Set("f.yaml", 1, p("a"), 3)}, "a: 3 # as it was\n")
}

func TestSetBlockScalar(t *testing.T) {
	set := func(value string) []Edit { return []Edit{Set("f.yaml", 1, p("a", "b"), value)} }
	run(t, []edited{
		{"lines", "a:\n  b: | # why\n    one\n    two\n\n  c: 1\n", set("three\n\n four\n"), "a:\n  b: | # why\n    three\n\n     four\n\n  c: 1\n"},
		{"chomped", "a:\n  b: |-\n    one\n  c: 1\n", set("x"), "a:\n  b: |-\n    x\n  c: 1\n"},
		{"chomping changes", "a:\n  b: |\n    one\n  c: 1\n", set("x"), "a:\n  b: |-\n    x\n  c: 1\n"},
		{"kept", "a:\n  b: |+\n    one\n\n\n  c: 1\n", set("x\n\n"), "a:\n  b: |+\n    x\n\n  c: 1\n"},
		{"given indentation", "a:\n  b: |2-\n     one\n    two\n  c: 1\n", set("  x\ny"), "a:\n  b: |2-\n      x\n    y\n  c: 1\n"},
		{"folded", "a:\n  b: >-\n    one\n    two\n  c: 1\n", set("x y"), "a:\n  b: >-\n    x y\n  c: 1\n"},
		{"folded that becomes lines", "a:\n  b: >-\n    one\n    two\n  c: 1\n", set("x\ny"), "a:\n  b: |-\n    x\n    y\n  c: 1\n"},
		{"what a block cannot hold", "a:\n  b: | # why\n    one\n    two\n  c: 1\n", set(" x\n"), "a:\n  b: \" x\\n\" # why\n  c: 1\n"},
		{"nothing", "a:\n  b: |-\n    one\n  c: 1\n", set(""), "a:\n  b: \"\"\n  c: 1\n"},
		{"from nothing", "a:\n  b: |-\n  c: 1\n", set("x"), "a:\n  b: x\n  c: 1\n"},
		{"kept line breaks only", "a:\n  b: |+\n\n\n  c: 1\n", set("x"), "a:\n  b: x\n  c: 1\n"},
		{"last", "a:\n  b: |-\n    one\n", set("x\ny"), "a:\n  b: |-\n    x\n    y\n"},
	})
	check(t, "a:\n  b: |\n    1\n", []Edit{Set("f.yaml", 1, p("a", "b"), 1)}, "a:\n  b: 1\n")
}

func TestSetMissing(t *testing.T) {
	run(t, []edited{
		{"entry", "a: 1 # why\n\n# next\n---\nb: 1\n", []Edit{Set("f.yaml", 1, p("b"), "x: v")}, "a: 1 # why\nb: \"x: v\"\n\n# next\n---\nb: 1\n"},
		{"parents", "a:\n    b: 1\nc: 1\n", []Edit{Set("f.yaml", 1, p("a", "x", "v", "z"), 3)}, "a:\n    b: 1\n    x:\n        v:\n            z: 3\nc: 1\n"},
		{"siblings", "spec:\n  interval: 1h\n",
			[]Edit{Set("f.yaml", 1, p("spec", "install", "retries"), 3), Set("f.yaml", 1, p("spec", "install", "last"), true)},
			"spec:\n  interval: 1h\n  install:\n    last: true\n    retries: 3\n"},
		{"null parent", "a: # why\n  # b: 1\nc: 1\n", []Edit{Set("f.yaml", 1, p("a", "b"), "x")}, "a: # why\n  b: x\n  # b: 1\nc: 1\n"},
		{"explicit null parent", "a: null # why\nc: 1\n", []Edit{Set("f.yaml", 1, p("a", "b"), "x")}, "a: # why\n  b: x\nc: 1\n"},
		{"empty brackets", "a: {} # why\nc: 1\n", []Edit{Set("f.yaml", 1, p("a", "b", "c"), "x")}, "a: # why\n  b:\n    c: x\nc: 1\n"},
		{"brackets", "a: {b: 1}\nc: 1\n", []Edit{Set("f.yaml", 1, p("a", "x", "v"), "1")}, "a: {b: 1, x: {v: \"1\"}}\nc: 1\n"},
		{"empty in brackets", "a: {b: {}, c: 1}\n", []Edit{Set("f.yaml", 1, p("a", "b", "x"), "v")}, "a: {b: {x: v}, c: 1}\n"},
		{"nothing in brackets", "a: {b: , c: 1}\n", []Edit{Set("f.yaml", 1, p("a", "b", "x"), "v")}, "a: {b: {x: v}, c: 1}\n"},
		{"JSON", "{\"a\": 1, \"b\": {}}\n", []Edit{Set("f.yaml", 1, p("b", "c"), "x")}, "{\"a\": 1, \"b\": {\"c\": \"x\"}}\n"},
		{"in a list item", "a:\n- b: 1\n- b: 2\n\n", []Edit{Set("f.yaml", 1, p("a", "0", "c"), "x")}, "a:\n- b: 1\n  c: x\n- b: 2\n\n"},
		{"in an empty list item", "a:\n  -\n  - 1\n", []Edit{Set("f.yaml", 1, p("a", "0", "c"), "x")}, "a:\n  -\n    c: x\n  - 1\n"},
		{"behind a block scalar", "a:\n  b: |\n    text\n\n\nc: 1\n", []Edit{Set("f.yaml", 1, p("a", "x"), "v")}, "a:\n  b: |\n    text\n  x: v\n\n\nc: 1\n"},
		{"behind a kept block scalar", "a:\n  b: |+\n    text\n\n\nc: 1\n", []Edit{Set("f.yaml", 1, p("a", "x"), "v")}, "a:\n  b: |+\n    text\n\n\n  x: v\nc: 1\n"},
		{"behind brackets", "a:\n  b: [\n    1, # }\n  ] # why\nc: 1\n", []Edit{Set("f.yaml", 1, p("a", "x"), "v")}, "a:\n  b: [\n    1, # }\n  ] # why\n  x: v\nc: 1\n"},
		{"behind an alias", "z: &z 1\na:\n  b: *z # why\nc: 1\n", []Edit{Set("f.yaml", 1, p("a", "x"), "v")}, "z: &z 1\na:\n  b: *z # why\n  x: v\nc: 1\n"},
		{"behind null", "a:\n  b:\nc: 1\n", []Edit{Set("f.yaml", 1, p("a", "x"), "v")}, "a:\n  b:\n  x: v\nc: 1\n"},
		{"behind folded text", "a:\n  b: one\n    two\nc: 1\n", []Edit{Set("f.yaml", 1, p("a", "x"), "v")}, "a:\n  b: one\n    two\n  x: v\nc: 1\n"},
		{"key that needs quotes", "a: {}\n", []Edit{Set("f.yaml", 1, p("a", "true"), "v")}, "a:\n  \"true\": v\n"},
		{"own anchor, not used", "a: &a\n  b: 1\n", []Edit{Set("f.yaml", 1, p("a", "x"), "v")}, "a: &a\n  b: 1\n  x: v\n"},
		{"empty with an anchor, not used", "a: &a\nb: 1\n", []Edit{Set("f.yaml", 1, p("a", "x"), "v")}, "a: &a\n  x: v\nb: 1\n"},
		{"beside what is merged", "a: &a\n  b: 1\nc:\n  <<: *a\n", []Edit{Set("f.yaml", 1, p("c", "x"), "v")}, "a: &a\n  b: 1\nc:\n  <<: *a\n  x: v\n"},
	})
}

func TestSetRefused(t *testing.T) {
	set := func(path ...string) []Edit { return []Edit{Set("f.yaml", 1, path, "new")} }
	const anchors = "a: &a\n  b: &b old\n  l: [1]\nc: *a\nd:\n  <<: *a\n  e: *b\n"
	refuseAll(t, []refused{
		{"alias", anchors, set("c"), 4, "it is an alias (*a)"},
		{"through an alias", anchors, set("c", "b"), 4, "it is an alias (*a)"},
		{"alias of a value", anchors, set("d", "e"), 7, "it is an alias (*b)"},
		{"in what is shared", anchors, set("a", "x"), 1, "its anchor (&a) is used elsewhere"},
		{"merged", anchors, set("d", "b"), 6, `"b" comes from a merge key`},
		{"through what is merged", anchors, set("d", "l", "0"), 6, `"l" comes from a merge key`},
		{"merged from a list", "a: &a {x: 1}\nb: &b {k: 1}\nc:\n  <<: [*a, *b]\n", set("c", "k"), 4, `"k" comes from a merge key`},
		{"merged behind a merge", "a: &a {x: 1}\nb: &b {<<: *a}\nc: {<<: *b}\n", set("c", "x"), 3, `"x" comes from a merge key`},
		{"merge key", anchors, set("d", "<<"), 6, `"<<" comes from a merge key`},
		{"shared value", "a: &x old\nb: *x\n", set("a"), 1, "its anchor (&x) is used elsewhere"},
		{"a mapping", "a: 1\nb:\n  c: 1\n", set("b"), 3, "it is a mapping or a list, not a single value"},
		{"below a value", "a: 1\nb: x\n", set("b", "c"), 2, "it is a single value"},
		{"below text that is no YAML", "a: 1\nb: |\n  some text\n", set("b", "c"), 3, "no YAML with fields"},
		{"below folded text", "a: 1\nb: >\n  c: 1\n", set("b", "c"), 2, "it is a single value"},
		{"no item", "a:\n  - 1\n", set("a", "1"), 2, "the list has no item 1"},
		{"no index", "a:\n  - 1\n", set("a", "01"), 2, `"01" is no index`},
		{"a list that is missing", "a:\n  b: 1\n", set("a", "c", "0", "d"), 1, "c is missing, and whether it should be a list"},
		{"other tag", "a: !!int 1\n", set("a"), 1, "it has a tag of another type (!!int)"},
		{"flow key without colon", "x: {a, b}\n", set("x", "a"), 1, "nor a colon"},
		{"single pair", "x: [a: 1]\n", set("x", "0", "b"), 1, "it has no brackets of its own"},
		{"marked key", "a:\n  ? b\n  : c\n", set("a", "x"), 2, `a key marked "?"`},
		{"comment in brackets", "a: {\n  # none\n}\n", set("a", "x"), 1, "there is a comment between its brackets"},
		{"no YAML", "a: 1\nb: }\n", set("a"), 2, "f.yaml:2: cannot be edited: not valid YAML"},
		{"tabs", "a:\n\tb: 1\n", set("a", "b"), 2, "not valid YAML"},
		{"duplicate keys", "a: 1\na: 2\n", set("a"), 2, `"a" is given again`},
		{"odd line break", "a: 1\nb: \"x\u2028y\"\n", set("a"), 2, "neither LF nor CRLF"},
		{"which document", "a: 1\n---\nb: 1\n", []Edit{Set("f.yaml", 0, p("a"), "x")}, 0, "which document is meant"},
		{"empty document", "a: 1\n---\n# none\n---\nb: 1\n", []Edit{Set("f.yaml", 3, p("a"), "x")}, 3, "the line is in no document"},
		{"no such line", "a: 1\n", []Edit{Set("f.yaml", 9, p("a"), "x")}, 9, "which document is meant"},
		{"no document", "# none\n", set("a"), 1, "the line is in no document"},
		{"unknown type", "a: 1\n", []Edit{{File: "f.yaml", Line: 1, Op: OpSet, Path: "/a", Value: "x", Type: "integer"}}, 1, "no value of its type"},
		{"unknown operation", "a: 1\n", []Edit{{File: "f.yaml", Line: 1, Op: "move", Path: "/a"}}, 1, `"move" is no operation`},
	})
}
