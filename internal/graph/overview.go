package graph

import "slices"

// isMinor reports whether a node is a detail of its owner, which a picture of
// the homelab leaves out.
func (n *Node) isMinor() bool {
	switch {
	case n.Missing:
		return false
	case n.Class == ClassService, n.Class == ClassOther:
		return true
	}
	return n.Class == ClassWorkload && n.Object != nil && n.Object.Release != nil
}

// major returns the node that stands for a node in a picture: itself, or the
// first of its owners that is no detail; nil where there is none.
func (n *Node) major() *Node {
	at := n
	for range maxDepth {
		if at == nil || !at.isMinor() {
			return at
		}
		at = at.owner
	}
	return nil
}

// Overview returns the network without details: the workloads of releases,
// Services, ConfigMaps and whatever has no class of its own stand for what
// renders or applies them.
func (n *Network) Overview() *Network {
	standing := make([]*Node, len(n.Nodes))
	copies := make([]*Node, len(n.Nodes))
	var nodes []*Node
	for i, node := range n.Nodes {
		standing[i] = node.major()
		if standing[i] == node {
			c := *node
			copies[i] = &c
			nodes = append(nodes, &c)
		}
	}
	var edges []*Edge
	for _, e := range n.Edges {
		from, to := standing[e.From.index], standing[e.To.index]
		if from == nil || to == nil || from == to || copies[from.index] == nil || copies[to.index] == nil {
			continue
		}
		if e.Kind == EdgeHealth && (e.From != from || isOwned(to, from)) {
			continue // told by the edge the other way round
		}
		switch {
		case e.Kind == EdgeCRD && e.From != from:
			continue // who acts on a detail
		case e.To != to && to.Class == ClassKustomization && (e.Kind == EdgeConfig || e.Kind == EdgeUses):
			continue // what it applies itself
		case e.To != to && (e.From.Class == ClassOther || (e.Kind == EdgeBackend || e.Kind == EdgeUses) && isOwned(from, to)):
			continue // what details have to do with each other
		}
		c := *e
		c.From, c.To = copies[from.index], copies[to.index]
		edges = append(edges, &c)
	}
	return newNetwork(nodes, edges).withoutDetours()
}

// withoutDetours leaves out what other edges tell already: the definitions that
// an object gets through what it needs anyway, and the source that a
// Kustomization shares with the one above it.
func (n *Network) withoutDetours() *Network {
	var edges []*Edge
	for _, e := range n.Edges {
		switch {
		case e.Kind == EdgeCRD && n.leads(e.From, e.To, e):
		case e.Kind == EdgeSource && e.From.Class == ClassKustomization && n.sharesSource(e):
		default:
			edges = append(edges, e)
		}
	}
	return newNetwork(n.Nodes, edges)
}

// leads reports whether hard edges lead from one node to another without the
// given one, and without going up to Kustomizations.
func (n *Network) leads(from, to *Node, without *Edge) bool {
	seen := map[*Node]bool{from: true}
	for pending := []*Node{from}; len(pending) > 0; {
		at := pending[0]
		pending = pending[1:]
		for _, e := range n.needs[at.index] {
			if e == without || !e.Hard || seen[e.To] || e.To.Class == ClassKustomization {
				continue
			}
			if e.To == to {
				return true
			}
			seen[e.To] = true
			pending = append(pending, e.To)
		}
	}
	return false
}

func (n *Network) sharesSource(e *Edge) bool {
	for _, up := range n.needs[e.From.index] {
		if up.Kind != EdgeApplies {
			continue
		}
		for _, other := range n.needs[up.To.index] {
			if other.Kind == EdgeSource && other.To == e.To {
				return true
			}
		}
	}
	return false
}

// isOwned reports whether a node is rendered or applied by another one.
func isOwned(n, by *Node) bool {
	at := n.owner
	for range maxDepth {
		if at == nil {
			return false
		}
		if at == by {
			return true
		}
		at = at.owner
	}
	return false
}

// Part returns what is near some nodes: what they need, and what needs them,
// over so many edges each way. Of a Kustomization on the way only what it waits
// for counts, and nothing else that it applies.
func (n *Network) Part(of []*Node, depth int) *Network {
	var roots []*Node
	for _, node := range of {
		if own := n.Node(node.ID); own != nil {
			roots = append(roots, own)
		}
	}
	keep := map[*Node]bool{}
	n.walk(roots, depth, keep, func(node *Node) []*Node {
		var next []*Node
		for _, e := range n.needs[node.index] {
			if node.Class != ClassKustomization || e.To.Class == ClassKustomization || slices.Contains(roots, node) {
				next = append(next, e.To)
			}
		}
		return next
	})
	n.walk(roots, depth, keep, func(node *Node) []*Node {
		var next []*Node
		for _, e := range n.neededBy[node.index] {
			next = append(next, e.From)
		}
		return next
	})
	return n.Only(func(node *Node) bool { return keep[node] })
}

// walk keeps what is reached from some nodes in so many steps.
func (n *Network) walk(roots []*Node, depth int, keep map[*Node]bool, next func(*Node) []*Node) {
	seen := map[*Node]bool{}
	reach := func(nodes []*Node) (fresh []*Node) {
		for _, node := range nodes {
			if !seen[node] {
				seen[node], keep[node] = true, true
				fresh = append(fresh, node)
			}
		}
		return fresh
	}
	at := reach(roots)
	for range depth {
		var further []*Node
		for _, node := range at {
			further = append(further, reach(next(node))...)
		}
		at = further
	}
}

// Only returns the nodes that are chosen, and the edges between them.
func (n *Network) Only(choose func(*Node) bool) *Network {
	copies := make([]*Node, len(n.Nodes))
	var nodes []*Node
	for i, node := range n.Nodes {
		if choose(node) {
			c := *node
			copies[i] = &c
			nodes = append(nodes, &c)
		}
	}
	var edges []*Edge
	for _, e := range n.Edges {
		if copies[e.From.index] != nil && copies[e.To.index] != nil {
			c := *e
			c.From, c.To = copies[e.From.index], copies[e.To.index]
			edges = append(edges, &c)
		}
	}
	return newNetwork(nodes, edges)
}

// Majors returns the nodes that stand for some in the overview, each once.
func Majors(nodes []*Node) []*Node {
	var list []*Node
	for _, n := range nodes {
		if m := n.major(); m != nil && !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}
