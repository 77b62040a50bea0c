package onepassword

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// manyItems is the text of a vault file, written in several ways.
func manyItems(n int) string {
	var b strings.Builder
	b.WriteString("# all of it\nvaults:\n  - name: Kubernetes\n    items:\n")
	for i := range n {
		switch i % 3 {
		case 0:
			fmt.Fprintf(&b, "      # about %d\n      - title: item%d\n        fields:\n          - {label: a, value: old}\n          - label: b\n            value: |-\n              two\n\n              lines # %d\n", i, i, i)
		case 1:
			fmt.Fprintf(&b, "      -   title: item%d # here\n          fields:\n          - label: a\n            value: 'old'\n\n", i)
		default:
			fmt.Fprintf(&b, "      - title: item%d\n        tags: [x]\n", i)
		}
	}
	b.WriteString("  - name: Other\n    items: []\n# the end\n")
	return b.String()
}

// TestManyChangesOfItems compares changes made item by item with those that
// are made in the whole text, one after the other.
func TestManyChangesOfItems(t *testing.T) {
	const items = 45
	open := func() *Document {
		d, err := NewDocument(filepath.Join(t.TempDir(), "vault.yaml"), "", false, []byte(manyItems(items)))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	var changes []itemChange
	d, slow := open(), open()
	for i, old := range d.content.Vaults[0].Items {
		item := old
		item.Fields = append([]Field{}, old.Fields...)
		for k := range item.Fields {
			item.Fields[k].Value = NewValue(fmt.Sprintf("new: %d\n# line", i))
		}
		item.Fields = append(item.Fields, Field{ID: MakeID("field", "", "added", "0"), Label: "added", Type: "CONCEALED", Value: NewValue("x")})
		edits, err := d.itemEdits(d.content.Vaults[0].ID, item)
		if err != nil {
			t.Fatal(err)
		}
		_, path, err := d.itemPath(d.content.Vaults[0].ID, item.ID)
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, itemChange{path, edits, item})
	}
	text, ok := changeLines(d.text, changes)
	if !ok || !d.says(text, changes) {
		t.Fatalf("the items are not changed in their lines:\n%s", text)
	}
	if err := d.applyChanges(changes); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if err := slow.apply(c.edits...); err != nil {
			t.Fatal(err)
		}
	}
	if unindented(d.text) != unindented(slow.text) { // how far new lists are indented may differ
		t.Errorf("item by item:\n%s\nin the whole text:\n%s", d.text, slow.text)
	}
}

func unindented(text []byte) string {
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimLeft(line, " ")
	}
	return strings.Join(lines, "\n")
}

// TestManyChangesElsewhere falls back where items do not stand in lines of
// their own.
func TestManyChangesElsewhere(t *testing.T) {
	var flow strings.Builder
	flow.WriteString("vaults: [{name: Kubernetes, items: [")
	for i := range manyEdits {
		fmt.Fprintf(&flow, "{title: item%d, fields: [{label: a, value: old}]}, ", i)
	}
	flow.WriteString("]}]\n")
	d, err := NewDocument(filepath.Join(t.TempDir(), "vault.yaml"), "", false, []byte(flow.String()))
	if err != nil {
		t.Fatal(err)
	}
	var imported []Imported
	for i := range manyEdits {
		imported = append(imported, Imported{Item: Item{Title: fmt.Sprintf("item%d", i), Fields: []Field{{Label: "a", Value: NewValue("new")}}}})
	}
	merged, err := d.Merge(imported, true)
	if err != nil || len(merged.Changed) != manyEdits {
		t.Fatalf("%d changed, %v", len(merged.Changed), err)
	}
	for _, item := range d.content.Vaults[0].Items {
		if item.Fields[0].Value.Reveal() != "new" {
			t.Errorf("%s keeps its value", item.Title)
		}
	}
}
