// Package graph tells what depends on what in a cluster: which objects name
// which others, who makes what nobody wrote down, in what order Flux applies
// what, and what would stop working if something failed.
//
// It works on the desired state alone and knows the conventions of operators
// and charts that homelabs run. It never guesses silently: what may exist and
// what surely does are told apart, and a chart that is not at hand is a doubt
// with a reason; see [Graph.Resolve]. Judging is left to package rule, drawing
// to the folder draw.
package graph

import (
	"slices"
	"sync"

	"hearth/internal/render/desired"
)

// Graph is what depends on what in one cluster. All methods may be called
// concurrently.
type Graph struct {
	State *desired.State

	// objects are all of the state, and scopes those of the kinds that it
	// defines itself: whether they have no namespace.
	objects []*desired.Object
	scopes  map[kind]bool
	supply  supply
	byHand  map[domainName]bool
	doubts  doubts
	order   func() *ordering
	crds    func() bringers
	network func() *Network
}

// kind names a kind of object whatever its version.
type kind struct{ group, name string }

func kindOf(o *desired.Object) kind {
	gvk := o.GroupVersionKind()
	return kind{gvk.Group, gvk.Kind}
}

// Build computes the facts of a state. What needs more time is computed when it
// is first asked for.
func Build(s *desired.State) *Graph {
	g := &Graph{State: s, objects: slices.Clone(s.Objects), scopes: map[kind]bool{}}
	for _, r := range s.Releases {
		g.objects = append(g.objects, r.Objects...)
	}
	for _, o := range g.objects {
		if d, ok := definitionOf(o); ok {
			g.scopes[d.kind] = d.clusterScoped
		}
	}
	g.stock()
	g.byHand = g.handMade()
	g.doubts = g.findDoubts()
	g.order = sync.OnceValue(g.newOrdering)
	g.crds = sync.OnceValue(g.findBringers)
	g.network = sync.OnceValue(g.weave)
	return g
}

// definition is what a CustomResourceDefinition defines.
type definition struct {
	kind
	clusterScoped bool
}

var definitionKind = kind{"apiextensions.k8s.io", "CustomResourceDefinition"}

func definitionOf(o *desired.Object) (definition, bool) {
	if kindOf(o) != definitionKind {
		return definition{}, false
	}
	spec := (field{value: o.Object}).at("spec")
	d := definition{kind{spec.at("group").text(), spec.at("names", "kind").text()}, spec.at("scope").text() == "Cluster"}
	return d, d.kind.name != ""
}
