package graph

import (
	"strings"

	"hearth/internal/render"
	"hearth/internal/render/desired"
)

// spread is an object that another one makes in many namespaces.
type spread struct {
	by      *desired.Object
	accepts func(namespace string) bool
}

// anyone names an object whatever its namespace.
type anyone struct {
	kind
	name string
}

// supply knows who makes what.
type supply struct {
	objects map[render.Key]*desired.Object
	made    map[render.Key]*desired.Object
	spread  map[anyone][]spread
	// named are the first of a name, whatever their namespace.
	named map[anyone]*desired.Object
	// static are the storage classes that volumes written by hand bear.
	static map[string]*desired.Object
}

// stock fills the supply from the state.
func (g *Graph) stock() {
	s := &g.supply
	s.objects, s.made = map[render.Key]*desired.Object{}, map[render.Key]*desired.Object{}
	s.spread, s.named, s.static = map[anyone][]spread{}, map[anyone]*desired.Object{}, map[string]*desired.Object{}
	labels := namespaces{}
	for _, o := range g.objects {
		if kindOf(o) == namespaceKind {
			labels[o.GetName()] = o.GetLabels()
		}
	}
	for _, o := range g.objects {
		g.keep(s.objects, kindOf(o), o.GetNamespace(), o.GetName(), o)
		if class := (field{value: o.Object}).at("spec", "storageClassName").text(); class != "" && kindOf(o) == volumeKind {
			s.static[class] = o
		}
	}
	for _, o := range g.objects {
		for _, p := range productsOf(o, labels) {
			g.supplyProduct(p, o)
		}
		for _, p := range s.pushed(o, labels) {
			g.supplyProduct(p, o)
		}
	}
	for _, r := range g.State.Releases {
		if !isFaithful(r) && r.Object != nil {
			for _, p := range chartProducts(r) {
				g.supplyProduct(p, r.Object)
			}
		}
	}
}

func (g *Graph) supplyProduct(p product, by *desired.Object) {
	if p.spread == nil {
		g.keep(g.supply.made, p.kind, p.namespace, p.name, by)
		return
	}
	to := anyone{p.kind, p.name}
	g.supply.spread[to] = append(g.supply.spread[to], spread{by, p.spread})
}

// keep notes an object; what is applied goes before what bootstrap supplies,
// and else the first one counts.
func (g *Graph) keep(in map[render.Key]*desired.Object, k kind, namespace, name string, o *desired.Object) {
	key := render.Key{Group: k.group, Kind: k.name, Namespace: g.namespaceFor(k, namespace), Name: name}
	if had := in[key]; had == nil || had.Bootstrap && !o.Bootstrap {
		in[key] = o
	}
	to := anyone{k, name}
	if g.supply.named[to] == nil {
		g.supply.named[to] = o
	}
}

// Provider tells who makes an object: itself where it stands in the tree or is
// rendered, else the object that makes it (an ExternalSecret for its Secret, a
// Cluster for its Services, a release for what its chart is known to make).
// known without a provider says that something at run time makes it; neither,
// that nothing is known to make it: then ask [Graph.DoubtAbout], or [Graph.Resolve] at once.
//
// A namespaced object without a namespace is looked for in all of them.
func (g *Graph) Provider(group, name, namespace, object string) (by *desired.Object, known bool) {
	k := kind{group, name}
	key := render.Key{Group: group, Kind: name, Namespace: g.namespaceFor(k, namespace), Name: object}
	if o := g.supply.objects[key]; o != nil {
		return o, true
	}
	if o := g.supply.made[key]; o != nil {
		return o, true
	}
	for _, s := range g.supply.spread[anyone{k, object}] {
		if key.Namespace == "" || s.accepts(key.Namespace) {
			return s.by, true
		}
	}
	if key.Namespace == "" && !g.isClusterScoped(k) {
		if o := g.supply.named[anyone{k, object}]; o != nil {
			return o, true
		}
	}
	if o := g.supply.static[object]; o != nil && k == storageClassKind {
		return o, true
	}
	return nil, g.isGiven(k, key.Namespace, object)
}

// isGiven reports whether every cluster has an object, or Flux brings it, or it
// can only be put in by hand before Flux runs.
func (g *Graph) isGiven(k kind, namespace, name string) bool {
	switch k {
	case serviceAccountKind:
		return name == "default" || g.isFlux(namespace, name)
	case configMapKind:
		return name == "kube-root-ca.crt" ||
			namespace == "kube-system" && (name == "extension-apiserver-authentication" || name == "coredns") ||
			namespace == "kube-public" && name == "cluster-info"
	case serviceKind:
		return namespace == "default" && name == "kubernetes" || namespace == "kube-system" && name == "kube-dns" ||
			g.isFlux(namespace, name)
	case secretKind:
		return g.byHand[domainName{namespace, name}]
	case namespaceKind:
		return g.isGivenNamespace(name)
	case kind{"", "Node"}:
		return true
	case kind{"rbac.authorization.k8s.io", "ClusterRole"}:
		return strings.HasPrefix(name, "system:") || name == "cluster-admin" || name == "admin" || name == "edit" || name == "view"
	case kind{"rbac.authorization.k8s.io", "Role"}:
		return strings.HasPrefix(name, "system:") || namespace == "kube-system" && name == "extension-apiserver-authentication-reader"
	case kind{"scheduling.k8s.io", "PriorityClass"}:
		return strings.HasPrefix(name, "system-")
	case kind{"apps", "Deployment"}:
		return g.isFlux(namespace, name)
	}
	return false
}

// isFlux reports whether an installation of Flux brings a Service or a
// ServiceAccount of a name.
func (g *Graph) isFlux(namespace, name string) bool {
	if g.State.Cluster == nil || namespace != g.State.Cluster.Entry.Namespace {
		return false
	}
	if name == "webhook-receiver" {
		return true
	}
	for _, controller := range fluxControllers {
		if name == controller {
			return true
		}
	}
	return false
}

func (g *Graph) isGivenNamespace(name string) bool {
	switch name {
	case "default", "kube-system", "kube-public", "kube-node-lease":
		return true
	}
	if c := g.State.Cluster; c != nil {
		if name == c.Entry.Namespace {
			return true
		}
		for _, r := range c.Bootstrap.Releases {
			if r.Namespace == name {
				return true
			}
		}
	}
	for _, r := range g.State.Releases {
		if r.HelmRelease != nil && r.Spec.Install != nil && r.Spec.Install.CreateNamespace && r.ReleaseNamespace == name {
			return true
		}
	}
	return false
}

// domainName is the name of an object in a namespace.
type domainName struct{ namespace, name string }

// handMade finds the Secrets that can only be put in by hand: what Flux
// decrypts with, and what it fetches the entry's source with.
func (g *Graph) handMade() map[domainName]bool {
	found := map[domainName]bool{}
	for _, o := range g.objects {
		k, spec := kindOf(o), (field{value: o.Object}).at("spec")
		isEntry := k.group == sourceGroup && o.Bootstrap
		for _, f := range []field{
			only(k == kustomizationKind, spec.at("decryption", "secretRef", "name")),
			only(k == kind{operatorGroup, "FluxInstance"}, spec.at("sync", "pullSecret")),
			only(isEntry, spec.at("secretRef", "name")),
		} {
			if name := f.text(); name != "" {
				found[domainName{o.GetNamespace(), name}] = true
			}
		}
	}
	return found
}

func only(is bool, f field) field {
	if !is {
		return field{}
	}
	return f
}
