package edit

import "go.yaml.in/yaml/v3"

// layout is how a document is indented, in spaces.
type layout struct {
	mapping int // of a mapping below its key
	list    int // of a list below its key; 0 where the dashes stand below the key itself
}

// layout returns how collections are indented where f leads: as most in the
// nearest surrounding that has any.
func (t *text) layout(f found) layout {
	l := layout{mapping: -1, list: -1}
	for i := len(f.trail) - 1; i >= 0; i-- {
		t.learn(&l, f.trail[i])
	}
	for _, d := range t.docs {
		t.learn(&l, d.Node)
	}
	if l.mapping < 0 {
		l.mapping = 2
	}
	if l.list < 0 {
		l.list = l.mapping
	}
	return l
}

// learn fills in what is not known yet from a tree.
func (t *text) learn(l *layout, tree *yaml.Node) {
	if l.mapping >= 0 && l.list >= 0 {
		return
	}
	mappings, lists := map[int]int{}, map[int]int{}
	t.count(tree, mappings, lists)
	if l.mapping < 0 {
		l.mapping = most(mappings)
	}
	if l.list < 0 {
		l.list = most(lists)
	}
}

func (t *text) count(n *yaml.Node, mappings, lists map[int]int) {
	if isFlow(n) {
		return
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && !isFlow(c) {
			t.countBelow(n.Content[i-1], c, mappings, lists)
		}
		t.count(c, mappings, lists)
	}
}

func (t *text) countBelow(key, value *yaml.Node, mappings, lists map[int]int) {
	at, err := t.content(value)
	if err != nil {
		return
	}
	switch by := at - t.lineStart(at) - (key.Column - 1); {
	case value.Kind == yaml.MappingNode && by > 0:
		mappings[by]++
	case value.Kind == yaml.SequenceNode && by >= 0:
		lists[by]++
	}
}

// most returns what was counted most often, the smaller of equals; -1 for nothing.
func most(counts map[int]int) int {
	best := -1
	for value, n := range counts {
		if best < 0 || n > counts[best] || n == counts[best] && value < best {
			best = value
		}
	}
	return best
}
