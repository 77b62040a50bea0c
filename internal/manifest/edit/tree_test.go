package edit

import "testing"

func TestSame(t *testing.T) {
	const text = "a: &x {k: 1}\nb: &x [1, 'two']\nc: *x\n"
	for other, want := range map[string]bool{
		text: true,
		"# comment\n\na: &x\n  \"k\": 1\nb: &x\n- 1\n- two\nc:   *x\n": true,
		"a: &x {k: 1}\nb: &z [1, 'two']\nc: *x\n":                      false, // another value is used
		"a: {k: 1}\nb: &x [1, 'two']\nc: *x\n":                         false, // an anchor is gone
		"a: &x {k: 1}\nb: &x [1, 'two']\nc: [1, 'two']\n":              false, // no alias any more
		"a: &x {k: 1}\nb: &x ['1', 'two']\nc: *x\n":                    false, // another type
		"a: &x {k: 2}\nb: &x [1, 'two']\nc: *x\n":                      false, // another value
		"b: &x [1, 'two']\na: &x {k: 1}\nc: *x\n":                      false, // another order
		"a: &x {k: 1}\nb: &x [1, 'two', 3]\nc: *x\n":                   false, // one more
		"a: &x {k: 1}\nb: !l &x [1, 'two']\nc: *x\n":                   false, // a tag
	} {
		a, err := read("f.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		b, err := read("f.yaml", []byte(other))
		if err != nil {
			t.Fatal(err)
		}
		root := a.docs[0].Node
		if same(root, b.docs[0].Node) != want || same(clone(root), b.docs[0].Node) != want {
			t.Errorf("same is %v for\n%s", !want, other)
		}
	}
	a, err := read("f.yaml", []byte("a: &x 1\nb: [&x 2, *x]\nc: *x\n"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := read("f.yaml", []byte("a: &x 1\nb: [&x 2, *x]\nc: *x\n"))
	if err != nil {
		t.Fatal(err)
	}
	b.docs[0].Node.Content[5].Alias = b.docs[0].Node.Content[1]
	if same(a.docs[0].Node, b.docs[0].Node) {
		t.Error("an alias that stands for another value is the same")
	}
}
