package draw

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"hearth/internal/graph"
)

// point is a place in a picture.
type point struct{ x, y float64 }

// box is where something is drawn.
type box struct{ x, y, w, h float64 }

// frame is the box of a namespace.
type frame struct {
	box
	title string
}

// layout is a network with places.
type layout struct {
	boxes  map[*graph.Node]box
	frames []frame
	// lines are the corners that an edge passes, in its direction.
	lines         map[*graph.Edge][]point
	width, height float64
}

// Measures of a picture, in pixels.
const (
	letter       = 6.4 // the width of one
	boxHeight    = 36
	boxPadding   = 20
	layerGap     = 70
	nodeGap      = 12
	partGap      = 20
	frameGap     = 40
	framePadding = 16
	frameTitle   = 22
	pageMargin   = 24
	// aspect is how much wider than high a picture should be.
	aspect = 1.6
	// maxDrawn bounds the nodes of a picture.
	maxDrawn = 20_000
	// hub is how many others in its namespace may need a node before it stops
	// holding them together.
	hub = 6
)

// layOut places each namespace in a frame, and in it what belongs together in
// layers, from what needs to what is needed.
func layOut(n *graph.Network) (*layout, error) {
	if len(n.Nodes) > maxDrawn {
		return nil, fmt.Errorf("drawing %d objects: a picture holds %d at most; choose some with --focus", len(n.Nodes), maxDrawn)
	}
	l := &layout{boxes: map[*graph.Node]box{}, lines: map[*graph.Edge][]point{}}
	groups := grouped(n)
	names := slices.Sorted(maps.Keys(groups))
	frames := make([]block, len(names))
	for i, name := range names {
		frames[i] = l.frame(n, name, groups[name])
	}
	l.width, l.height = pack(frames, frameGap)
	for i, name := range names {
		f := frames[i]
		f.place(pageMargin, pageMargin)
		l.frames = append(l.frames, frame{box{f.x + pageMargin, f.y + pageMargin, f.w, f.h}, name})
	}
	l.width, l.height = l.width+2*pageMargin, l.height+2*pageMargin
	for _, e := range n.Edges {
		if l.lines[e] == nil {
			l.lines[e] = []point{{}, {}}
		}
		l.attach(e)
	}
	return l, nil
}

// grouped returns the nodes of each namespace. What has none belongs to the
// namespace of those that need it, if they are all of one.
func grouped(n *graph.Network) map[string][]*graph.Node {
	groups := map[string][]*graph.Node{}
	for _, node := range n.Nodes {
		name := namespaceOf(node)
		if name == "" {
			for i, e := range n.NeededBy(node) {
				if from := namespaceOf(e.From); i > 0 && from != name {
					name = ""
					break
				} else {
					name = from
				}
			}
		}
		groups[name] = append(groups[name], node)
	}
	return groups
}

// namespaceOf is where a node is drawn: a Kustomization where it applies its
// objects.
func namespaceOf(n *graph.Node) string {
	if n.Class == graph.ClassKustomization && n.Object != nil {
		if spec, ok := n.Object.Object["spec"].(map[string]any); ok {
			if target, ok := spec["targetNamespace"].(string); ok && target != "" {
				return target
			}
		}
	}
	return n.Ref.Namespace
}

// frame lays out the nodes of one namespace.
func (l *layout) frame(n *graph.Network, title string, nodes []*graph.Node) block {
	var parts []block
	for _, part := range connected(n, nodes) {
		parts = append(parts, l.part(part))
	}
	w, h := pack(parts, partGap)
	top := float64(framePadding + frameTitle)
	w = max(w+2*framePadding, float64(len([]rune(title)))*letter*1.4+2*framePadding)
	f := block{w: w, h: h + top + framePadding}
	f.move = func(x, y float64) {
		for _, p := range parts {
			p.place(x+framePadding, y+top)
		}
	}
	return f
}

// part is some nodes of a namespace and the edges that hold them together.
type part struct {
	nodes []*graph.Node
	edges []*graph.Edge
}

// connected splits the nodes of a namespace into those that belong together.
// A hub, which many need, holds nothing together.
func connected(n *graph.Network, nodes []*graph.Node) []part {
	root := map[*graph.Node]*graph.Node{}
	for _, node := range nodes {
		root[node] = node
	}
	var find func(*graph.Node) *graph.Node
	find = func(node *graph.Node) *graph.Node {
		if root[node] != node {
			root[node] = find(root[node])
		}
		return root[node]
	}
	var edges []*graph.Edge
	for _, node := range nodes {
		var within []*graph.Edge
		for _, e := range n.NeededBy(node) {
			if root[e.From] != nil {
				within = append(within, e)
			}
		}
		if len(within) > hub {
			continue
		}
		edges = append(edges, within...)
		for _, e := range within {
			a, b := find(e.From), find(e.To)
			root[a] = b
		}
	}
	byRoot := map[*graph.Node]*part{}
	var order []*part
	for _, node := range nodes {
		p := byRoot[find(node)]
		if p == nil {
			p = &part{}
			byRoot[find(node)] = p
			order = append(order, p)
		}
		p.nodes = append(p.nodes, node)
	}
	for _, e := range edges {
		p := byRoot[find(e.From)]
		p.edges = append(p.edges, e)
	}
	parts := make([]part, len(order))
	for i, p := range order {
		parts[i] = *p
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(len(b.nodes), len(a.nodes)) })
	return parts
}

// attach sets the ends of an edge's line to the sides of its boxes that face
// each other.
func (l *layout) attach(e *graph.Edge) {
	from, to, line := l.boxes[e.From], l.boxes[e.To], l.lines[e]
	start, end := point{from.x + from.w, from.y + from.h/2}, point{to.x, to.y + to.h/2}
	switch {
	case to.x >= from.x+from.w:
	case from.x >= to.x+to.w:
		start.x, end.x = from.x, to.x+to.w
	case to.y > from.y:
		start, end = point{from.x + from.w/2, from.y + from.h}, point{to.x + to.w/2, to.y}
	default:
		start, end = point{from.x + from.w/2, from.y}, point{to.x + to.w/2, to.y + to.h}
	}
	line[0], line[len(line)-1] = start, end
}

// sizeOf returns the size of a node's box.
func sizeOf(n *graph.Node) (w, h float64) {
	kind, name := label(n)
	return math.Ceil(float64(max(len([]rune(kind)), len([]rune(name))))*letter) + boxPadding, boxHeight
}
