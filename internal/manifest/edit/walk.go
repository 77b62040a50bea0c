package edit

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// found is how far a field path leads.
type found struct {
	trail []*yaml.Node // from the document's root to the value reached
	steps []int        // where in its parent's Content each value stands
	rest  []string     // what of the path is missing
}

// node returns the value reached.
func (f found) node() *yaml.Node { return f.trail[len(f.trail)-1] }

// parent returns the collection that has the value reached; nil at the root.
func (f found) parent() *yaml.Node {
	if len(f.trail) < 2 {
		return nil
	}
	return f.trail[len(f.trail)-2]
}

// step returns where in its parent's Content the value reached stands.
func (f found) step() int { return f.steps[len(f.steps)-1] }

// up returns the finding of the parent.
func (f found) up() found {
	return found{trail: f.trail[:len(f.trail)-1], steps: f.steps[:len(f.steps)-1]}
}

// inFlow reports whether the value reached stands in a flow collection.
func (f found) inFlow() bool { return slices.ContainsFunc(f.trail[:len(f.trail)-1], isFlow) }

// walk follows a path as far as it leads. It refuses ways on which an edit
// would reach other places, too; what is removed may be an alias itself.
func (t *text) walk(doc int, path []string, removes bool) (found, error) {
	f := found{trail: []*yaml.Node{t.docs[doc].Node}, rest: path}
	for {
		n := f.node()
		if len(f.rest) == 0 && removes {
			return f, nil
		}
		if err := t.checkShared(n); err != nil || len(f.rest) == 0 {
			return f, err
		}
		i, err := child(n, f.rest[0])
		if err != nil || i < 0 {
			return f, err
		}
		f.trail, f.steps, f.rest = append(f.trail, n.Content[i]), append(f.steps, i), f.rest[1:]
	}
}

func (t *text) checkShared(n *yaml.Node) error {
	switch {
	case n.Kind == yaml.AliasNode:
		return refuse(n.Line, "it is an alias (*%s); what it stands for may be used elsewhere", n.Value)
	case t.shared[n]:
		return refuse(n.Line, "its anchor (&%s) is used elsewhere, and would change there, too", n.Anchor)
	}
	return nil
}

// child returns where in a collection's Content the value of a step stands; -1
// where it is missing.
func child(n *yaml.Node, step string) (int, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return entry(n, step)
	case yaml.SequenceNode:
		i, ok := index(step)
		if !ok {
			return 0, refuse(n.Line, "%q is no index of a list item", step)
		}
		if i >= len(n.Content) {
			return 0, refuse(n.Line, "the list has no item %d", i)
		}
		return i, nil
	}
	return -1, nil
}

func entry(n *yaml.Node, name string) (int, error) {
	if i := ownEntry(n, name); i >= 0 {
		return i, nil
	}
	if name == "<<" || merged(n, name, mergeDepth) {
		return 0, refuse(n.Line, "%q comes from a merge key (<<)", name)
	}
	return -1, nil
}

// ownEntry returns where a mapping's value of a key stands; -1 where it has none itself.
func ownEntry(n *yaml.Node, name string) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Kind == yaml.ScalarNode && key.Value == name && !isMerge(key) {
			return i + 1
		}
	}
	return -1
}

func isMerge(key *yaml.Node) bool { return key.ShortTag() == "!!merge" }

// mergeDepth is how many merge keys are followed, one behind another.
const mergeDepth = 20

// merged reports whether a mapping gets a key from what it merges.
func merged(n *yaml.Node, name string, depth int) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) && gives(n.Content[i+1], name, depth) {
			return true
		}
	}
	return false
}

func gives(source *yaml.Node, name string, depth int) bool {
	if source.Kind == yaml.AliasNode {
		source = source.Alias
	}
	if depth == 0 {
		return true // It cannot be excluded.
	}
	if source.Kind == yaml.SequenceNode {
		return slices.ContainsFunc(source.Content, func(s *yaml.Node) bool { return gives(s, name, depth-1) })
	}
	return source.Kind == yaml.MappingNode && (ownEntry(source, name) >= 0 || merged(source, name, depth-1))
}
