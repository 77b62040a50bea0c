package graph

import (
	"cmp"
	"slices"
	"sync"

	"hearth/internal/render/desired"
)

// ordering tells what Kustomizations wait for. Each has two events: it starts,
// and it is ready. Event 2i is the start of Kustomization i, 2i+1 that it is
// ready.
type ordering struct {
	list     []*desired.Kustomization
	position map[*desired.Kustomization]int
	// after are the events that an event comes after.
	after [][]int
	// reached remembers what the start of a Kustomization comes after.
	reached sync.Map
}

func started(i int) int { return 2 * i }
func ready(i int) int   { return 2*i + 1 }

func (g *Graph) newOrdering() *ordering {
	list := g.State.Kustomizations
	o := &ordering{list: list, position: map[*desired.Kustomization]int{}, after: make([][]int, 2*len(list))}
	named := map[domainName]int{}
	for i, k := range list {
		o.position[k] = i
		named[domainName{k.Namespace, k.Name}] = i
	}
	for i, k := range list {
		o.wait(ready(i), started(i))
		for _, on := range k.Spec.DependsOn {
			if j, ok := named[domainName{cmp.Or(on.Namespace, k.Namespace), on.Name}]; ok {
				o.wait(started(i), ready(j))
			}
		}
		parent, ok := o.position[k.Parent]
		if !ok || k.Parent == nil {
			continue
		}
		o.wait(started(i), started(parent))
		if awaits(k.Parent, k) {
			o.wait(ready(parent), ready(i))
		}
	}
	return o
}

func (o *ordering) wait(event, other int) { o.after[event] = append(o.after[event], other) }

// awaits reports whether a Kustomization is only ready once one that it applies
// is ready, too.
func awaits(parent, child *desired.Kustomization) bool {
	if parent.Spec.Wait {
		return true
	}
	for _, check := range parent.Spec.HealthChecks {
		if check.Kind == kustomizationKind.name && check.Name == child.Name && cmp.Or(check.Namespace, parent.Namespace) == child.Namespace {
			return true
		}
	}
	return false
}

// before returns the events that come before the start of a Kustomization.
func (o *ordering) before(i int) map[int]bool {
	if found, ok := o.reached.Load(i); ok {
		return found.(map[int]bool)
	}
	found := map[int]bool{}
	pending := []int{started(i)}
	for len(pending) > 0 {
		event := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		for _, next := range o.after[event] {
			if !found[next] {
				found[next] = true
				pending = append(pending, next)
			}
		}
	}
	o.reached.Store(i, found)
	return found
}

// DependsOn reports whether what a Kustomization applies comes after what
// another one applies, directly or through others: because of dependsOn, its
// own or that of the Kustomizations above it, or because the other one is above
// it. One that waits for the health of what it applies stands for that, too.
func (g *Graph) DependsOn(k, on *desired.Kustomization) bool {
	o := g.order()
	i, known := o.position[k]
	j, knownToo := o.position[on]
	if !known || !knownToo || i == j {
		return false
	}
	before := o.before(i)
	return before[ready(j)] || isAbove(on, k)
}

func isAbove(parent, k *desired.Kustomization) bool {
	for above := k.Parent; above != nil; above = above.Parent {
		if above == parent {
			return true
		}
	}
	return false
}

// Cycles returns the circles in which Kustomizations wait for each other, so
// that none of them is ever applied: each begins with its first in the order of
// the state, and each waits for the next. A Kustomization is in one of them
// only; one that waits for itself is a circle, too.
func (g *Graph) Cycles() [][]*desired.Kustomization {
	o := g.order()
	var cycles [][]*desired.Kustomization
	taken := map[int]bool{}
	for i := range o.list {
		if taken[i] || !o.before(i)[started(i)] {
			continue
		}
		circle := o.shortestCircle(i)
		first := slices.Index(circle, slices.Min(circle))
		var cycle []*desired.Kustomization
		for _, j := range slices.Concat(circle[first:], circle[:first]) {
			taken[j] = true
			cycle = append(cycle, o.list[j])
		}
		cycles = append(cycles, cycle)
	}
	return cycles
}

// shortestCircle returns the Kustomizations on the shortest way from the start
// of one back to it, beginning with it.
func (o *ordering) shortestCircle(i int) []int {
	from := map[int]int{}
	pending := []int{started(i)}
	for len(pending) > 0 && !has(from, started(i)) {
		event := pending[0]
		pending = pending[1:]
		for _, next := range o.after[event] {
			if !has(from, next) {
				from[next] = event
				pending = append(pending, next)
			}
		}
	}
	var way []int
	for event := from[started(i)]; event != started(i); event = from[event] {
		way = append(way, event/2)
	}
	way = append(way, i)
	slices.Reverse(way)
	way = slices.Compact(way)
	if last := len(way) - 1; last > 0 && way[last] == way[0] {
		way = way[:last]
	}
	return way
}

func has(m map[int]int, key int) bool {
	_, ok := m[key]
	return ok
}

// Sequence returns the Kustomizations in an order in which Flux can apply them:
// each comes after those that it waits for, and else in the order of the state.
// Those in a circle keep that order among each other.
func (g *Graph) Sequence() []*desired.Kustomization {
	o := g.order()
	seen := make([]bool, len(o.after))
	var list []*desired.Kustomization
	var visit func(event int)
	visit = func(event int) {
		if seen[event] {
			return
		}
		seen[event] = true
		for _, before := range o.after[event] {
			visit(before)
		}
		if event%2 == 0 {
			list = append(list, o.list[event/2])
		}
	}
	for i := range o.list {
		visit(started(i))
	}
	return list
}
