package edit

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// clone copies a tree; its aliases point into the copy.
func clone(root *yaml.Node) *yaml.Node {
	copies := map[*yaml.Node]*yaml.Node{}
	var aliases []*yaml.Node
	var visit func(n *yaml.Node) *yaml.Node
	visit = func(n *yaml.Node) *yaml.Node {
		c := *n
		c.Content = make([]*yaml.Node, len(n.Content))
		copies[n] = &c
		if n.Kind == yaml.AliasNode {
			aliases = append(aliases, &c)
		}
		for i, child := range n.Content {
			c.Content[i] = visit(child)
		}
		return &c
	}
	copied := visit(root)
	for _, a := range aliases {
		a.Alias = copies[a.Alias]
	}
	return copied
}

// changed copies the tree that a value stands in, and lets change work on the copy of that value.
func changed(f found, change func(n *yaml.Node)) *yaml.Node {
	root := clone(f.trail[0])
	n := root
	for _, i := range f.steps {
		n = n.Content[i]
	}
	change(n)
	return root
}

// grow appends to a collection, or makes one of an empty value.
func grow(n *yaml.Node, kind yaml.Kind, children []*yaml.Node) {
	if n.Kind != kind {
		*n = yaml.Node{Kind: kind, Anchor: n.Anchor, Tag: map[yaml.Kind]string{yaml.MappingNode: "!!map", yaml.SequenceNode: "!!seq"}[kind]}
	}
	n.Content = append(n.Content, children...)
}

// same reports whether two documents say the same: equal values of equal types in equal
// order, with the same anchors, used at the same places.
func same(want, got *yaml.Node) bool {
	counterpart := map[*yaml.Node]*yaml.Node{}
	var visit func(w, g *yaml.Node) bool
	visit = func(w, g *yaml.Node) bool {
		counterpart[w] = g
		if w.Kind != g.Kind || w.Anchor != g.Anchor || w.Value != g.Value || len(w.Content) != len(g.Content) {
			return false
		}
		if w.Kind == yaml.AliasNode {
			return counterpart[w.Alias] == g.Alias
		}
		for i := range w.Content {
			if !visit(w.Content[i], g.Content[i]) {
				return false
			}
		}
		return w.ShortTag() == g.ShortTag()
	}
	return visit(want, got)
}

// sharesOutside reports whether an alias outside of a tree stands for a node in it.
func sharesOutside(root, tree *yaml.Node) bool {
	inside := map[*yaml.Node]bool{}
	collect(tree, inside)
	var visit func(n *yaml.Node) bool
	visit = func(n *yaml.Node) bool {
		if n == tree {
			return false
		}
		return n.Kind == yaml.AliasNode && inside[n.Alias] || slices.ContainsFunc(n.Content, visit)
	}
	return visit(root)
}

func collect(n *yaml.Node, set map[*yaml.Node]bool) {
	set[n] = true
	for _, c := range n.Content {
		collect(c, set)
	}
}
