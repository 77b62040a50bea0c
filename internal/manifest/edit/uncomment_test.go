package edit

import "testing"

func TestUncomment(t *testing.T) {
	out := func(line int) []Edit { return []Edit{Uncomment("f.yaml", line, "# why ")} }
	run(t, []edited{
		{"its own line", "a: 1\n# why\nb: 2\n", out(2), "a: 1\nb: 2\n"},
		{"the first line", "# why\na: 1\n", out(1), "a: 1\n"},
		{"the last line", "a: 1\n# why\n", out(2), "a: 1\n"},
		{"indented", "a:\n  # why  \n  b: 1\n", out(2), "a:\n  b: 1\n"},
		{"behind a value", "a: 1   # why\nb: 2\n", out(1), "a: 1\nb: 2\n"},
		{"behind a mark", "--- # why\na: 1\n", out(1), "---\na: 1\n"},
		{"two of them", "a: 1 # why\n# why\nb: 2\n", append(out(1), out(2)...), "a: 1\nb: 2\n"},
		{"in brackets", "a: [\n  # why\n  1, # why\n  2]\n", append(out(2), out(3)...), "a: [\n  1,\n  2]\n"},
		{"with other edits", "a: 1\n# why\nb: 2\nc: 3\n", append(out(2), Set("f.yaml", 1, p("a"), "longer"), Remove("f.yaml", 1, p("c")), CommentAbove("f.yaml", 3, "another")),
			"a: longer\n# another\nb: 2\n"},
	})
}

func TestUncommentRefused(t *testing.T) {
	out := func(line int) []Edit { return []Edit{Uncomment("f.yaml", line, "# why")} }
	refuseAll(t, []refused{
		{"another comment", "a: 1 # why not\n", out(1), 1, "does not end with the comment"},
		{"part of a word", "a: x# why\n", out(1), 1, "other values would change"},
		{"part of quotes", "a: '\n  # why\n  '\n", out(2), 2, "other values would change"},
		{"part of text", "a: |\n  x\n  # why\n  y\n", out(3), 3, "other values would change"},
		{"no comment", "a: 1\n", []Edit{Uncomment("f.yaml", 1, "1")}, 1, "does not end with the comment"},
		{"behind the end", "a: 1\n", out(2), 2, "no such line"},
	})
}
