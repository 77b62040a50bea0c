package graph

import (
	"strings"
)

// Effect is what the failure of an object does to another one.
type Effect string

// The effects; their names are part of the JSON interface.
const (
	// Blocked is not applied any more, or not for the first time.
	Blocked Effect = "blocked"
	// Stopped is applied, and does not work.
	Stopped Effect = "stopped"
	// Degraded works without what it would like to have.
	Degraded Effect = "degraded"
)

// Hit is an object that the failure of another one reaches.
type Hit struct {
	Node   *Node
	Effect Effect
	// Path leads from the node to what failed, one edge after the other. It is
	// the shortest.
	Path []*Edge
}

// Sentence tells why: "waits for Kustomization media/immich, which reads …".
func (h Hit) Sentence() string {
	var parts []string
	for _, e := range h.Path {
		parts = append(parts, e.Why+" "+e.To.Ref.String())
	}
	return strings.Join(parts, ", which ")
}

// Impact tells what would not be applied or not work any more if an object
// failed, and what would work less well: the former first, each ordered by
// kind, namespace and name. What is only a detail of another hit is left out.
func (n *Network) Impact(failed *Node) []Hit {
	spread := n.spread(failed)
	var hard, soft []Hit
	for _, node := range n.Nodes {
		hit, ok := spread.hit(node)
		if !ok || node == failed || node.isMinor() && spread.reached(node.owner, hit.Effect) {
			continue
		}
		if hit.Effect == Degraded {
			soft = append(soft, hit)
			continue
		}
		hard = append(hard, hit)
	}
	return append(hard, soft...)
}

// spreading is how a failure spreads over events: node i starts as event 2i,
// which is that it is applied, and works as event 2i+1.
type spreading struct {
	failed *Node
	// via is the edge over which an event failed; those that failed at once,
	// and the step from not being applied to not working, have none.
	via  map[int]*Edge
	soft map[int]*Edge
}

func (n *Network) spread(failed *Node) spreading {
	s := spreading{failed: failed, via: map[int]*Edge{}, soft: map[int]*Edge{}}
	s.via[started(failed.index)], s.via[ready(failed.index)] = nil, nil
	pending := []int{started(failed.index), ready(failed.index)}
	for len(pending) > 0 {
		event := pending[0]
		pending = pending[1:]
		fail := func(next int, via *Edge) {
			if _, known := s.via[next]; !known {
				s.via[next] = via
				pending = append(pending, next)
			}
		}
		isStart := event%2 == 0
		if isStart {
			fail(event+1, nil)
		}
		for _, e := range n.neededBy[event/2] {
			switch {
			case e.toStart != isStart:
			case !e.Hard:
				if _, known := s.soft[e.From.index]; !known {
					s.soft[e.From.index] = e
				}
			case e.fromStart:
				fail(started(e.From.index), e)
			default:
				fail(ready(e.From.index), e)
			}
		}
	}
	return s
}

// hit tells what the failure does to a node. What is not applied, or needs what
// is not, is blocked.
func (s spreading) hit(n *Node) (Hit, bool) {
	if e, ok := s.via[started(n.index)]; ok {
		path, _ := s.path(e)
		return Hit{n, Blocked, path}, true
	}
	if e, ok := s.via[ready(n.index)]; ok {
		path, blocked := s.path(e)
		if blocked {
			return Hit{n, Blocked, path}, true
		}
		return Hit{n, Stopped, path}, true
	}
	if e, ok := s.soft[n.index]; ok {
		path, _ := s.path(e)
		return Hit{n, Degraded, path}, true
	}
	return Hit{}, false
}

// path follows the edges from one to what failed, and tells whether something
// on the way is not applied.
func (s spreading) path(first *Edge) (path []*Edge, blocked bool) {
	for e := first; e != nil && len(path) <= len(s.via); {
		path = append(path, e)
		if e.To == s.failed {
			break
		}
		event := ready(e.To.index)
		if e.toStart {
			event = started(e.To.index)
		}
		next := s.via[event]
		if next == nil {
			next = s.via[event-event%2] // it does not work since it is not applied
		}
		blocked = blocked || next == nil || next.fromStart
		e = next
	}
	return path, blocked
}

// reached reports whether a node is hit at least as hard.
func (s spreading) reached(n *Node, effect Effect) bool {
	if n == nil {
		return false
	}
	if n == s.failed {
		return true
	}
	hit, ok := s.hit(n)
	return ok && (hit.Effect != Degraded || effect == Degraded)
}

// Along returns what failed, what it reaches, and the edges on the ways there.
func (n *Network) Along(failed *Node, hits []Hit) *Network {
	on := map[*Edge]bool{}
	nodes := map[*Node]bool{failed: true}
	for _, h := range hits {
		nodes[h.Node] = true
		for _, e := range h.Path {
			on[e], nodes[e.From], nodes[e.To] = true, true, true
		}
	}
	var part Network
	copies := map[*Node]*Node{}
	for _, node := range n.Nodes {
		if nodes[node] {
			c := *node
			copies[node] = &c
			part.Nodes = append(part.Nodes, &c)
		}
	}
	for _, e := range n.Edges {
		if on[e] {
			c := *e
			c.From, c.To = copies[e.From], copies[e.To]
			part.Edges = append(part.Edges, &c)
		}
	}
	return newNetwork(part.Nodes, part.Edges)
}
