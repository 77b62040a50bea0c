package draw

import (
	"cmp"
	"slices"
	"strconv"
	"sync"

	"github.com/nulab/autog"
	autograph "github.com/nulab/autog/graph"

	"hearth/internal/graph"
)

// carefully is how many edges a part may have for its crossings to be
// minimized, which takes a time that grows with the third power.
const carefully = 100

// part places the nodes of a part in layers, those that need others to the
// left. The library lays layers out from top to bottom, so that widths and
// heights change places.
func (l *layout) part(p part) block {
	ids, nodes := map[*graph.Node]string{}, map[string]*graph.Node{}
	sizes := map[string]autograph.Size{}
	for i, node := range p.nodes {
		id := strconv.Itoa(i)
		w, h := sizeOf(node)
		ids[node], nodes[id], sizes[id] = id, node, autograph.Size{W: h, H: w}
	}
	type ends [2]string
	edges := map[ends][]*graph.Edge{}
	var arrows autograph.EdgeSlice
	for _, e := range p.edges {
		at := ends{ids[e.From], ids[e.To]}
		if edges[at] == nil && edges[ends{at[1], at[0]}] == nil {
			arrows = append(arrows, []string{at[0], at[1]})
		}
		edges[at] = append(edges[at], e)
	}
	boxes, lines := map[*graph.Node]box{}, map[*graph.Edge][]point{}
	if len(arrows) == 0 {
		for _, node := range p.nodes {
			w, h := sizeOf(node)
			boxes[node] = box{0, 0, w, h}
		}
	} else {
		laid := runLayout(arrows, sizes)
		for _, at := range laid.Nodes {
			boxes[nodes[at.ID]] = box{at.Y, at.X, at.H, at.W}
		}
		for _, e := range laid.Edges {
			line := corners(e)
			for _, own := range edges[ends{e.FromID, e.ToID}] {
				lines[own] = slices.Clone(line)
			}
		}
	}
	moveApart(p.nodes, boxes)
	return l.block(boxes, lines)
}

// moveApart moves boxes down that lie on others: the library does not always
// see how large they are.
func moveApart(nodes []*graph.Node, boxes map[*graph.Node]box) {
	order := slices.Clone(nodes)
	slices.SortStableFunc(order, func(a, b *graph.Node) int {
		return cmp.Or(cmp.Compare(boxes[a].y, boxes[b].y), cmp.Compare(boxes[a].x, boxes[b].x))
	})
	for i, node := range order {
		at := boxes[node]
		for j := 0; j < i; j++ {
			other := boxes[order[j]]
			if at.x < other.x+other.w+nodeGap && other.x < at.x+at.w+nodeGap && at.y < other.y+other.h && other.y < at.y+at.h {
				at.y, j = other.y+other.h+nodeGap, -1 // may lie on one before, now
			}
		}
		boxes[node] = at
	}
}

// corners returns the points of an edge, in its own direction.
func corners(e autograph.Edge) []point {
	line := make([]point, 0, len(e.Points))
	for _, p := range e.Points {
		line = append(line, point{p[1], p[0]})
	}
	if e.ArrowHeadStart {
		slices.Reverse(line)
	}
	return line
}

// block makes a block of boxes and lines, which it notes once it is placed.
func (l *layout) block(boxes map[*graph.Node]box, lines map[*graph.Edge][]point) block {
	left, top, right, bottom := 1e18, 1e18, -1e18, -1e18
	for _, b := range boxes {
		left, top = min(left, b.x), min(top, b.y)
		right, bottom = max(right, b.x+b.w), max(bottom, b.y+b.h)
	}
	for _, line := range lines {
		for _, p := range line {
			left, top = min(left, p.x), min(top, p.y)
			right, bottom = max(right, p.x), max(bottom, p.y)
		}
	}
	return block{w: right - left, h: bottom - top, move: func(x, y float64) {
		for node, b := range boxes {
			l.boxes[node] = box{b.x - left + x, b.y - top + y, b.w, b.h}
		}
		for e, line := range lines {
			for i := range line {
				line[i].x, line[i].y = line[i].x-left+x, line[i].y-top+y
			}
			if len(line) >= 2 {
				l.lines[e] = line
			}
		}
	}}
}

// oneAtATime keeps layouts apart: the library has a monitor for all of them.
var oneAtATime sync.Mutex

func runLayout(arrows autograph.EdgeSlice, sizes map[string]autograph.Size) autograph.Layout {
	oneAtATime.Lock()
	defer oneAtATime.Unlock()
	options := []autog.Option{
		autog.WithCycleBreaking(autog.CycleBreakingDepthFirst),
		autog.WithLayering(autog.LayeringNetworkSimplex),
		autog.WithOrdering(autog.OrderingWMedian),
		autog.WithPositioning(autog.PositioningSinkColoring),
		autog.WithEdgeRouting(autog.EdgeRoutingPolyline),
		autog.WithNodeSize(sizes),
		autog.WithLayerSpacing(layerGap),
		autog.WithNodeSpacing(nodeGap),
	}
	if len(arrows) > carefully {
		options = append(options,
			autog.WithLayering(autog.LayeringLongestPath),
			autog.WithOrdering(autog.OrderingNoop),
			autog.WithPositioning(autog.PositioningVAlign),
			autog.WithEdgeRouting(autog.EdgeRoutingStraight),
		)
	}
	return autog.Layout(arrows, options...)
}
