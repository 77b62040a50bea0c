package order

import (
	"slices"
	"sync"

	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

var dependsOnMissing = &rule.Rule{
	Name:     "depends-on-missing",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "A Kustomization depends on what brings the kinds and stores that it uses",
	Why: "On a new cluster all Kustomizations without dependencies are applied at once. An ExternalSecret, a database or a route whose definition is not there yet " +
		"makes the whole apply fail, and it is tried again only after the retry interval. " +
		"Where only the operator or the store comes later, or a chart uses the kind, it works in the end: that is information, no error.",
	Remedy: "Add the Kustomization that brings the definition, operator or store to dependsOn, or let bootstrap install it before Flux runs. " +
		"What needs the kinds of a chart cannot be applied by the Kustomization of the chart itself: give it one of its own.",
	Section: "Don't: Skip Dependencies",
	Bad: `# install.yaml with no dependsOn, of an application with ExternalSecret and database
spec:
  path: ./kubernetes/main/apps/media/immich/app
`,
	Good: `spec:
  dependsOn:
    - name: external-secrets
      namespace: external-secrets
    - name: cloudnative-pg-operator
      namespace: dbms
  path: ./kubernetes/main/apps/media/immich/app
`,
	Fixes: true,
	Check: checkMissing,
}

// groupKind names a kind whatever its version.
type groupKind struct{ group, kind string }

// sort says in what way something is needed, the worst first.
type sort int

const (
	// together: a release of the same Kustomization brings the definition.
	together sort = iota
	// below: what the Kustomization itself applies brings the definition.
	below
	// before: another Kustomization brings the definition.
	before
	// rendered: another Kustomization does, and a chart makes the object.
	rendered
	// beside: another release of the same Kustomization does, and a chart
	// makes the object.
	beside
	// store: another Kustomization brings the store of a secret.
	store
)

// need is what objects of one Kustomization need of another one.
type need struct {
	needKey
	// first is one of the objects, and certain says that the definition was seen.
	first   *desired.Object
	certain bool
	count   int
}

type needKey struct {
	of, on *desired.Kustomization
	sort   sort
	// from needs it and brings brings it, where a release does and it matters.
	from, brings *desired.Release
}

// needs gathers what is missing in one cluster.
type needs struct {
	*rule.Cluster
	releases *releaseOrder
	brings   map[groupKind][]graph.Bringer
	found    map[needKey]*need
	order    []needKey
	// byHand tells what is installed before Flux without being in bootstrap.
	byHand func() []string
}

func checkMissing(p *rule.Pass) {
	byHand := sync.OnceValue(func() []string { return installedByHand(p.Repository) })
	for _, c := range p.Clusters {
		n := needs{
			Cluster: c, releases: newReleaseOrder(c.State), brings: map[groupKind][]graph.Bringer{},
			found: map[needKey]*need{}, byHand: byHand,
		}
		for o := range c.State.All() {
			if k := o.Kustomization; k == nil || o.Bootstrap || k.Spec.Suspend || k.Spec.KubeConfig != nil {
				continue
			}
			n.definition(o)
			n.store(o)
		}
		for _, key := range n.order {
			n.report(p, n.found[key])
		}
	}
}

// bringers returns who brings the definition of an object.
func (n *needs) bringers(o *desired.Object) []graph.Bringer {
	gvk := o.GroupVersionKind()
	key := groupKind{gvk.Group, gvk.Kind}
	list, asked := n.brings[key]
	if !asked {
		list = n.Graph.Brings(key.group, key.kind)
		n.brings[key] = list
	}
	return list
}

// definition notes an object whose definition may come too late.
func (n *needs) definition(o *desired.Object) {
	list := n.bringers(o)
	if len(list) == 0 || slices.ContainsFunc(list, func(b graph.Bringer) bool { return n.inTime(o, b) }) {
		return
	}
	b := list[0]
	if certain := slices.IndexFunc(list, func(b graph.Bringer) bool { return b.Certain }); certain >= 0 {
		b = list[certain]
	}
	chart := ""
	if b.Release != nil {
		chart = b.Release.ChartName
	}
	if !mentions(n.byHand(), o.GroupVersionKind().Group, chart) {
		n.add(o, n.keyOf(o, b), b.Certain)
	}
}

// keyOf says in what way an object needs who brings its definition.
func (n *needs) keyOf(o *desired.Object, b graph.Bringer) needKey {
	key := needKey{of: o.Kustomization, on: b.Kustomization, sort: before}
	same := b.Kustomization == o.Kustomization
	switch {
	case o.Release != nil && same:
		key.sort, key.from, key.brings = beside, o.Release, b.Release
	case o.Release != nil:
		key.sort = rendered
	case same:
		key.sort, key.brings = together, b.Release
	case isAbove(o.Kustomization, b.Kustomization):
		key.sort = below
	}
	return key
}

// inTime reports whether a definition is there before the object.
func (n *needs) inTime(o *desired.Object, b graph.Bringer) bool {
	switch {
	case b.Bootstrap || b.Kustomization == nil || b.Kustomization.Spec.Suspend:
		return true
	case b.Kustomization == o.Kustomization && b.Release == nil:
		return true // Flux applies definitions first
	case o.Release != nil && (b.Release == o.Release || b.Release != nil && n.releases.dependsOn(o.Release, b.Release)):
		return true // and so does Helm
	}
	return n.Graph.DependsOn(o.Kustomization, b.Kustomization)
}

// store notes an object whose store comes later than itself. The Kustomization
// that brings the operator stands for the store.
func (n *needs) store(o *desired.Object) {
	if o.Release != nil || o.GroupVersionKind().Group != "external-secrets.io" {
		return
	}
	for _, ref := range graph.References(o) {
		if ref.Kind != "ClusterSecretStore" && ref.Kind != "SecretStore" {
			continue
		}
		found, _ := n.Graph.Provider(ref.Group, ref.Kind, ref.Namespace, ref.Name)
		if found == nil || found.Bootstrap || found.Kustomization == nil || found.Kustomization == o.Kustomization ||
			found.Kustomization.Spec.Suspend || isAbove(o.Kustomization, found.Kustomization) {
			continue
		}
		waits := n.Graph.DependsOn(o.Kustomization, found.Kustomization) || slices.ContainsFunc(n.bringers(o), func(b graph.Bringer) bool {
			return b.Kustomization != nil && (b.Kustomization == o.Kustomization || n.Graph.DependsOn(o.Kustomization, b.Kustomization))
		})
		if !waits {
			n.add(o, needKey{of: o.Kustomization, on: found.Kustomization, sort: store}, true)
		}
	}
}

func (n *needs) add(o *desired.Object, key needKey, certain bool) {
	if n.found[key] == nil {
		n.found[key] = &need{needKey: key, first: o, certain: certain}
		n.order = append(n.order, key)
	}
	n.found[key].count++
}
