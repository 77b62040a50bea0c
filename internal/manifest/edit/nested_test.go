package edit

import "testing"

func TestNestedText(t *testing.T) {
	const text = "spec:\n  patches:\n    - patch: |- # why\n        spec:\n          # of x\n          x: 1h # one\n\n          l:\n          - a\n      target: {kind: X}\n"
	patch := p("spec", "patches", "0", "patch")
	path := func(steps ...string) []string { return append(patch[:len(patch):len(patch)], steps...) }
	run(t, []edited{
		{"set", text, []Edit{Set("f.yaml", 1, path("spec", "x"), "2h")},
			"spec:\n  patches:\n    - patch: |- # why\n        spec:\n          # of x\n          x: 2h # one\n\n          l:\n          - a\n      target: {kind: X}\n"},
		{"set what is missing", text, []Edit{Set("f.yaml", 1, path("spec", "v", "w"), 3)},
			"spec:\n  patches:\n    - patch: |- # why\n        spec:\n          # of x\n          x: 1h # one\n\n          l:\n          - a\n          v:\n            w: 3\n      target: {kind: X}\n"},
		{"insert", text, []Edit{Insert("f.yaml", 1, path("spec", "l"), "- b: |\n    one\n\n    two\n- c")},
			"spec:\n  patches:\n    - patch: |- # why\n        spec:\n          # of x\n          x: 1h # one\n\n          l:\n          - a\n          - b: |\n              one\n\n              two\n          - c\n      target: {kind: X}\n"},
		{"insert at its root", text, []Edit{Insert("f.yaml", 1, patch, "k: 1")},
			"spec:\n  patches:\n    - patch: |- # why\n        spec:\n          # of x\n          x: 1h # one\n\n          l:\n          - a\n        k: 1\n      target: {kind: X}\n"},
		{"remove", text, []Edit{Remove("f.yaml", 1, path("spec", "x"))},
			"spec:\n  patches:\n    - patch: |- # why\n        spec:\n\n          l:\n          - a\n      target: {kind: X}\n"},
		{"remove the last", text, []Edit{Remove("f.yaml", 1, path("spec", "l"))},
			"spec:\n  patches:\n    - patch: |- # why\n        spec:\n          # of x\n          x: 1h # one\n      target: {kind: X}\n"},
		{"operations", "patches:\n- patch: |\n    - op: replace\n      path: /spec\n      value: 1\n", []Edit{Set("f.yaml", 1, p("patches", "0", "patch", "0", "value"), 2)},
			"patches:\n- patch: |\n    - op: replace\n      path: /spec\n      value: 2\n"},
	})
	check(t, "a: |\n  b: |\n    c: 1\n", []Edit{Set("f.yaml", 1, p("a", "b", "c"), 2), Set("f.yaml", 1, p("a", "b", "d"), 3)}, "a: |\n  b: |\n    c: 2\n    d: 3\n")
	refuseAll(t, []refused{
		{"two documents", "a: |\n  b: 1\n  ---\n  c: 1\n", []Edit{Set("f.yaml", 1, p("a", "b"), "2")}, 2, "no YAML with fields or items"},
		{"broken", "a: |\n  b: 1\n  c: }\n", []Edit{Set("f.yaml", 1, p("a", "b"), "2")}, 3, "not valid YAML"},
		{"alias in it", "x: 1\na: |\n  b: &b 1\n  c: *b\n", []Edit{Set("f.yaml", 1, p("a", "c"), "2")}, 4, "it is an alias"},
	})
}
