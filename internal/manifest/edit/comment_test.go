package edit

import "testing"

func TestCommentAbove(t *testing.T) {
	const ignore = "hearth:ignore some-rule why"
	above := func(line int) []Edit { return []Edit{CommentAbove("f.yaml", line, ignore)} }
	run(t, []edited{
		{"first line", "a: 1\n", above(1), "# hearth:ignore some-rule why\na: 1\n"},
		{"indented", "a:\n  b:\n    - c: 1\n      d: 2\n", above(4), "a:\n  b:\n    - c: 1\n      # hearth:ignore some-rule why\n      d: 2\n"},
		{"item", "a:\n- b\n- c\n", above(3), "a:\n- b\n# hearth:ignore some-rule why\n- c\n"},
		{"in brackets", "a: [\n  1,\n  2]\n", above(3), "a: [\n  1,\n  # hearth:ignore some-rule why\n  2]\n"},
		{"in YAML in text", "a:\n  - patch: |-\n      b: 1\n      c:\n        d: 1\n", above(5), "a:\n  - patch: |-\n      b: 1\n      c:\n        # hearth:ignore some-rule why\n        d: 1\n"},
		{"first line of YAML in text", "a: |\n  b: 1\nc: 1\n", above(2), "a: |\n  # hearth:ignore some-rule why\n  b: 1\nc: 1\n"},
		{"two above one line", "a: 1\nb: 2\n", append(above(2), CommentAbove("f.yaml", 2, "# another")), "a: 1\n# another\n# hearth:ignore some-rule why\nb: 2\n"},
		{"with other edits", "a: # x\n  b: 1\n  c: 2\nd: 3\n", append(above(4), Remove("f.yaml", 1, p("a", "c")), Set("f.yaml", 1, p("a", "b"), "longer"), Insert("f.yaml", 1, p("a"), "e: 1\nf: 2"), CommentAbove("f.yaml", 2, "two")),
			"a: # x\n  # two\n  b: longer\n  e: 1\n  f: 2\n# hearth:ignore some-rule why\nd: 3\n"},
	})
}

func TestCommentAboveRefused(t *testing.T) {
	above := func(line int) []Edit { return []Edit{CommentAbove("f.yaml", line, "why")} }
	refuseAll(t, []refused{
		{"in text that is no YAML", "a: |\n  one\n  two\n", above(3), 2, "no YAML with fields"},
		{"in folded text", "a: >\n  one\n  two\n", above(3), 3, "other values would change"},
		{"in quotes", "a: 'one\n  two'\n", above(2), 2, "other values would change"},
		{"in plain text", "a: one\n  two\n", above(2), 2, "does not allow it"},
		{"behind the end", "a: 1\n", above(2), 2, "no such line"},
		{"tabs", "a: [\n\t1]\n", above(2), 2, "indented with tabs"},
		{"two lines", "a: 1\n", []Edit{CommentAbove("f.yaml", 1, "one\ntwo")}, 1, "not one line"},
		{"in shared text", "a: &a |\n  b: 1\nc: *a\n", above(2), 1, "its anchor (&a) is used elsewhere"},
		{"above what is removed", "a: 1\nb: 2\n", append(above(2), Remove("f.yaml", 1, p("b"))), 2, "another edit gets in its way: remove b"},
	})
}
