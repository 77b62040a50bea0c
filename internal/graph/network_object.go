package graph

import (
	"slices"
	"strings"

	"hearth/internal/render/desired"
)

// connect adds what an object needs.
func (w *weaver) connect(n *Node, o *desired.Object) {
	if n.Object != o {
		return // bootstrap supplied it first
	}
	w.origin(n, o)
	references := References(o)
	for _, r := range references {
		w.reference(n, o, r)
	}
	switch n.Class {
	case ClassWorkload:
		w.workload(n, o)
	case ClassService:
		w.selects(n, o)
	case ClassExternalSecret:
		w.items(n, o)
	}
	w.operator(n, o)
	w.controller(n, o)
	w.imagesOf(n, o)
	w.mentioned(n, o)
}

// origin links an object to what applies or renders it.
func (w *weaver) origin(n *Node, o *desired.Object) {
	e := Edge{From: n, Hard: true, fromStart: true, toStart: true}
	switch {
	case o.Release != nil && o.Release.Object != nil:
		e.To, e.Kind, e.Why = w.object(o.Release.Object), EdgeRenders, "is rendered by"
	case o.Kustomization != nil:
		e.To, e.Kind, e.Why = w.object(o.Kustomization.Object), EdgeApplies, "is applied by"
	default:
		return
	}
	n.owner = e.To
	w.link(e)
}

// reference links a node to what a reference leads to.
func (w *weaver) reference(n *Node, o *desired.Object, r Reference) {
	to := w.target(o, r)
	if to == nil {
		return
	}
	e := Edge{From: n, To: to, Kind: edgeKind(n, to, r), Why: r.Why, Hard: !r.Optional, object: o, path: r.Path}
	if n.Class == ClassKustomization || n.Class == ClassRelease {
		e.fromStart = e.Kind != EdgeHealth && (len(r.Path) < 2 || r.Path[1] != "values")
	}
	if to.kind() == volumeKind {
		e.Why = "is bound to" // a class that only a volume bears
	}
	w.link(e)
}

// target returns the node that a reference leads to, or nil where it leads to
// what every cluster has.
func (w *weaver) target(o *desired.Object, r Reference) *Node {
	k := kind{r.Group, r.Kind}
	found := w.Resolve(o, r)
	if found.By != nil {
		maker := w.object(found.By)
		if maker.kind() == k && maker.Ref.Name == r.Name || maker.kind() == volumeKind {
			return maker
		}
		return w.product(k, w.namespaceFor(k, r.Namespace), r.Name, found.By)
	}
	if !found.Missing && found.Doubt == "" {
		return nil
	}
	n := w.node(k, w.namespaceFor(k, r.Namespace), r.Name)
	n.Missing, n.Doubt = found.Missing, found.Doubt
	if found.likely != nil {
		n.owner = w.object(found.likely)
		w.link(Edge{From: n, To: w.object(found.likely), Kind: EdgeRenders, Why: "may be rendered by"})
	}
	return n
}

// product returns the node of what an object makes, linked to its maker.
func (w *weaver) product(k kind, namespace, name string, by *desired.Object) *Node {
	n, maker := w.node(k, namespace, name), w.object(by)
	e := Edge{From: n, To: maker, Kind: EdgeRenders, Why: "is made by", Hard: true}
	switch maker.Class {
	case ClassDatabase:
		e.Kind = EdgeDatabase
	case ClassExternalSecret, ClassCertificate, ClassSecret:
		e.Kind = EdgeSecret
	case ClassStorage:
		e.Kind = EdgeStorage
	}
	n.Kustomization, n.owner = maker.Kustomization, maker
	w.link(e)
	return n
}

// edgeKind tells in which way a node needs another that it names.
func edgeKind(from, to *Node, r Reference) EdgeKind {
	if from.Class == ClassKustomization && len(r.Path) > 1 && r.Path[1] == "healthChecks" {
		return EdgeHealth
	}
	switch to.Class {
	case ClassKustomization, ClassRelease:
		return EdgeDependsOn
	case ClassSource:
		return EdgeSource
	case ClassSecret:
		return EdgeSecret
	case ClassStore:
		return EdgeStore
	case ClassDatabase:
		return EdgeDatabase
	case ClassGateway:
		return EdgeGateway
	case ClassStorage:
		return EdgeStorage
	case ClassService:
		return EdgeBackend
	case ClassRoute:
		return EdgeRoute
	}
	if to.kind() == configMapKind {
		return EdgeConfig
	}
	return EdgeUses
}

// workload notes the labels of a workload's pods.
func (w *weaver) workload(n *Node, o *desired.Object) {
	template := podPaths[kindOf(o)]
	labels, _ := (field{value: o.Object}).at(append(template[:len(template)-1:len(template)-1], "metadata", "labels")...).value.(map[string]any)
	w.pods[n.Ref.Namespace] = append(w.pods[n.Ref.Namespace], labelled{n, labels})
}

// items links an ExternalSecret to the items of the vault that it reads.
func (w *weaver) items(n *Node, o *desired.Object) {
	spec := (field{value: o.Object}).at("spec")
	if kindOf(o).name == "ClusterExternalSecret" {
		spec = spec.at("externalSecretSpec")
	}
	item := func(f field) {
		if name := f.text(); name != "" && !w.State.Unknown(name) {
			w.link(Edge{From: n, To: w.pseudo(ClassItem, KindItem, name), Kind: EdgeItem, Why: "reads", Hard: true, object: o, path: f.path})
		}
	}
	for data := range spec.at("data").items() {
		item(data.at("remoteRef", "key"))
	}
	for from := range spec.at("dataFrom").items() {
		item(from.at("extract", "key"))
	}
}

// operator links an object of a custom kind to who acts on it.
func (w *weaver) operator(n *Node, o *desired.Object) {
	k := kindOf(o)
	if !isCustom(k.group) || isFluxGroup(k.group) {
		return
	}
	for _, b := range w.Brings(k.group, k.name) {
		if !b.Bootstrap {
			w.crd(n, b, "is defined by", false)
			break
		}
	}
}

// crd links a node to who brings the definition of a kind.
func (w *weaver) crd(n *Node, b Bringer, why string, fromStart bool) {
	e := Edge{From: n, Kind: EdgeCRD, Why: why, Hard: true, fromStart: fromStart}
	switch {
	case b.Release != nil:
		e.To = w.object(b.Release.Object)
	case b.Kustomization != nil:
		e.To = w.object(b.Kustomization.Object)
	default:
		return
	}
	w.link(e)
}

// controller links a GatewayClass to the release that plays it, which it names
// by the domain of its controller.
func (w *weaver) controller(n *Node, o *desired.Object) {
	if kindOf(o) != gatewayClassKind {
		return
	}
	domain, _, _ := strings.Cut((field{value: o.Object}).at("spec", "controllerName").text(), "/")
	for _, b := range slices.Concat(w.bringsGroup(domain), w.bringsGroup(reversed(domain))) {
		if !b.Bootstrap {
			w.crd(n, b, "is played by", false)
			return
		}
	}
}

// reversed turns io.cilium into cilium.io.
func reversed(domain string) string {
	labels := strings.Split(domain, ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".")
}

func isFluxGroup(group string) bool { return slices.Contains(fluxGroups, group) }
