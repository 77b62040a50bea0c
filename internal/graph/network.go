package graph

import (
	"cmp"
	"slices"

	"hearth/internal/domain"
	"hearth/internal/render"
	"hearth/internal/render/desired"
)

// Network is the nodes and edges of a graph. It is read-only.
type Network struct {
	// Nodes are ordered by kind, namespace, name and group.
	Nodes []*Node
	// Edges are ordered by From, To and kind.
	Edges []*Edge

	byID            map[string]*Node
	needs, neededBy [][]*Edge
}

// Needs returns the edges to what a node needs, in their order.
func (n *Network) Needs(node *Node) []*Edge { return n.needs[node.index] }

// NeededBy returns the edges of those that need a node, in their order.
func (n *Network) NeededBy(node *Node) []*Edge { return n.neededBy[node.index] }

// Node returns the node with an ID, or nil.
func (n *Network) Node(id string) *Node { return n.byID[id] }

// newNetwork orders nodes and edges, names the nodes, and keeps one edge of
// those that say the same: the hard one.
func newNetwork(nodes []*Node, edges []*Edge) *Network {
	n := &Network{Nodes: nodes, byID: make(map[string]*Node, len(nodes))}
	slices.SortFunc(nodes, func(a, b *Node) int {
		return cmp.Or(a.Ref.Compare(b.Ref), cmp.Compare(a.Group, b.Group))
	})
	for i, node := range nodes {
		node.index = i
		if node.ID != "" {
			n.byID[node.ID] = node
			continue // named in the network that this is a part of
		}
		node.ID = idOf(node.Ref.Kind, node.Ref)
		if n.byID[node.ID] != nil {
			node.ID = idOf(node.Ref.Kind+"."+node.Group, node.Ref)
		}
		n.byID[node.ID] = node
	}
	slices.SortStableFunc(edges, compareEdges)
	n.Edges = slices.CompactFunc(edges, func(a, b *Edge) bool { return a.From == b.From && a.To == b.To && a.Kind == b.Kind })
	n.needs, n.neededBy = make([][]*Edge, len(nodes)), make([][]*Edge, len(nodes))
	for _, e := range n.Edges {
		n.needs[e.From.index] = append(n.needs[e.From.index], e)
		n.neededBy[e.To.index] = append(n.neededBy[e.To.index], e)
	}
	return n
}

// compareEdges puts the hard one of edges that say the same first.
func compareEdges(a, b *Edge) int {
	hardFirst := 0
	if a.Hard != b.Hard {
		hardFirst = 1
		if a.Hard {
			hardFirst = -1
		}
	}
	return cmp.Or(cmp.Compare(a.From.index, b.From.index), cmp.Compare(a.To.index, b.To.index), cmp.Compare(a.Kind, b.Kind), hardFirst)
}

func idOf(kind string, ref domain.Ref) string {
	if ref.Namespace == "" {
		return kind + "/" + ref.Name
	}
	return kind + "/" + ref.Namespace + "/" + ref.Name
}

// weaver makes the network of a graph.
type weaver struct {
	*Graph
	nodes map[render.Key]*Node
	edges []*Edge
	// pods are the workloads of a namespace, and the labels of their pods.
	pods map[string][]labelled
	// services are those with a selector, beside it.
	services []labelled
	releases map[*desired.Object]*desired.Release
	// hosts are the Services that the content of a Secret or ConfigMap names.
	hosts map[*Node][]Reference
}

type labelled struct {
	node   *Node
	labels map[string]any
}

// Network returns the nodes and edges of the graph: all objects of the state,
// what they name, and what they are made of.
func (g *Graph) Network() *Network { return g.network() }

func (g *Graph) weave() *Network {
	w := &weaver{Graph: g, nodes: map[render.Key]*Node{}, pods: map[string][]labelled{}, hosts: map[*Node][]Reference{}, releases: map[*desired.Object]*desired.Release{}}
	for _, r := range g.State.Releases {
		w.releases[r.Object] = r
	}
	for _, o := range g.objects {
		if kindOf(o) != definitionKind {
			w.object(o)
		}
	}
	for _, o := range g.objects {
		if kindOf(o) != definitionKind {
			w.connect(w.object(o), o)
		}
	}
	for _, k := range g.State.Kustomizations {
		w.kustomization(k)
	}
	for _, r := range g.State.Releases {
		w.release(r)
	}
	w.answer()
	w.throughContent()
	nodes := make([]*Node, 0, len(w.nodes))
	for _, n := range w.nodes {
		nodes = append(nodes, n)
	}
	return newNetwork(nodes, w.edges)
}

// object returns the node of an object, making it where there is none. What is
// applied goes before what bootstrap supplies.
func (w *weaver) object(o *desired.Object) *Node {
	k := kindOf(o)
	n := w.node(k, w.namespaceFor(k, o.GetNamespace()), o.GetName())
	if n.Object != nil && (!n.Object.Bootstrap || o.Bootstrap) {
		return n
	}
	n.Object, n.Kustomization = o, o.Kustomization
	if o.Release != nil && o.Release.Object != nil {
		n.Kustomization = o.Release.Object.Kustomization
	}
	return n
}

func (w *weaver) node(k kind, namespace, name string) *Node {
	key := render.Key{Group: k.group, Kind: k.name, Namespace: namespace, Name: name}
	n := w.nodes[key]
	if n == nil {
		n = &Node{Class: classOf(k), Group: k.group, Ref: domain.Ref{Kind: k.name, Namespace: namespace, Name: name}}
		w.nodes[key] = n
	}
	return n
}

// pseudo returns the node of something that is no object.
func (w *weaver) pseudo(class Class, name, subject string) *Node {
	n := w.node(kind{"", name}, "", subject)
	n.Class = class
	return n
}

func (w *weaver) link(e Edge) {
	if e.From != e.To {
		w.edges = append(w.edges, &e)
	}
}
