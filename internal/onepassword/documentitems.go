package onepassword

import (
	"bytes"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/manifest/edit"
)

// manyEdits is from how many edits on they are made item by item: each edit
// has the text that it is made in read anew.
const manyEdits = 32

// itemChange is what becomes of one item that is there.
type itemChange struct {
	path  []string // of the item
	edits []edit.Edit
	item  Item // afterwards
}

// applyChanges makes the changes of items, each item's in its own lines where
// there are many.
func (d *Document) applyChanges(changes []itemChange) error {
	var all []edit.Edit
	for _, c := range changes {
		all = append(all, c.edits...)
	}
	if len(all) >= manyEdits {
		if text, ok := changeLines(d.text, changes); ok && d.says(text, changes) {
			return d.SetText(text)
		}
	}
	return d.apply(all...)
}

// says reports whether a text has the items as they are to be.
func (d *Document) says(text []byte, changes []itemChange) bool {
	content, err := ParseContent(d.path, text)
	if err != nil || len(content.Vaults) != len(d.content.Vaults) {
		return false
	}
	for i, v := range content.Vaults {
		if len(v.Items) != len(d.content.Vaults[i].Items) {
			return false
		}
	}
	for _, c := range changes {
		vault, item := indexes(c.path)
		got := content.Vaults[vault].Items[item]
		if got.ID != c.item.ID || len(got.Fields) != len(c.item.Fields) {
			return false
		}
		for i, f := range got.Fields {
			if f.Label != c.item.Fields[i].Label || !f.Value.Equal(c.item.Fields[i].Value) {
				return false
			}
		}
	}
	return true
}

// indexes reads the path of an item: vaults, its vault's, items, its own.
func indexes(path []string) (vault, item int) {
	vault, _ = strconv.Atoi(path[1])
	item, _ = strconv.Atoi(path[3])
	return vault, item
}

// changeLines makes the edits of each item in its lines alone. It gives up
// where an item does not stand in lines of its own.
func changeLines(text []byte, changes []itemChange) ([]byte, bool) {
	var document yaml.Node
	if yaml.Unmarshal(text, &document) != nil || len(document.Content) == 0 {
		return nil, false
	}
	vaults := childOf(document.Content[0], "vaults")
	lines := strings.SplitAfter(string(text), "\n")
	starts := map[int]itemChange{} // by line, from 0
	for _, c := range changes {
		vault, item := indexes(c.path)
		node := element(childOf(element(vaults, vault), "items"), item)
		if node == nil || node.Kind != yaml.MappingNode || node.Style&yaml.FlowStyle != 0 {
			return nil, false
		}
		starts[node.Line-1] = c
	}
	var out bytes.Buffer
	for i := 0; i < len(lines); {
		c, ok := starts[i]
		if !ok {
			out.WriteString(lines[i])
			i++
			continue
		}
		end := endOfItem(lines, i)
		changed, ok := changeItem(lines[i:end], c)
		if !ok {
			return nil, false
		}
		out.WriteString(changed)
		i = end
	}
	return out.Bytes(), true
}

// childOf returns the value of a key of a mapping, or nil.
func childOf(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// element returns an item of a list in block style, or nil.
func element(n *yaml.Node, i int) *yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode || n.Style&yaml.FlowStyle != 0 || i >= len(n.Content) {
		return nil
	}
	return n.Content[i]
}

// indent counts the spaces that a line begins with.
func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// endOfItem returns the line behind the list item that begins in a line.
func endOfItem(lines []string, start int) int {
	end := start + 1
	for i := end; i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) == "" {
			continue
		}
		if indent(lines[i]) <= indent(lines[start]) {
			break
		}
		end = i + 1
	}
	return end
}

// changeItem makes the edits of one item in its lines, as a list of its own.
func changeItem(lines []string, c itemChange) (string, bool) {
	margin := strings.Repeat(" ", indent(lines[0]))
	if !strings.HasPrefix(lines[0], margin+"- ") {
		return "", false
	}
	var own strings.Builder
	for _, line := range lines {
		own.WriteString(strings.TrimPrefix(line, margin))
	}
	prefix := "/" + strings.Join(c.path, "/")
	edits := make([]edit.Edit, len(c.edits))
	for i, e := range c.edits {
		e.Path = "/0" + strings.TrimPrefix(e.Path, prefix)
		edits[i] = e
	}
	changed, err := edit.Apply([]byte(own.String()), edits...)
	if err != nil {
		return "", false
	}
	var out strings.Builder
	for line := range strings.SplitAfterSeq(string(changed), "\n") {
		if strings.TrimSpace(line) != "" {
			line = margin + line
		}
		out.WriteString(line)
	}
	return out.String(), true
}
