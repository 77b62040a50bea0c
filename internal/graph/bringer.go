package graph

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"hearth/internal/render/desired"
)

// Bringer brings the definition of a custom kind into the cluster.
type Bringer struct {
	// Kustomization applies the definition, or the release that installs it;
	// nil where bootstrap brings it.
	Kustomization *desired.Kustomization
	// Release installs it; nil where the definition stands in the tree.
	Release *desired.Release
	// Bootstrap says that it is there before Flux applies anything.
	Bootstrap bool
	// Certain says that the definition itself was seen. Otherwise the chart is
	// not at hand, and known to bring kinds of this group.
	Certain bool
}

// bringers are those of each kind. What a chart that is not at hand brings
// stands under the kind "*" of its groups, and that of a chart nothing is known
// of under the kind "" of its own name.
type bringers map[kind][]Bringer

func (b bringers) add(k kind, one Bringer) { b[k] = append(b[k], one) }

// chart adds what a chart brings that is not at hand.
func (b bringers) chart(name string, values field, one Bringer) {
	groups, known := groupsOfChart(name, values)
	for _, group := range groups {
		b.add(kind{group, "*"}, one)
	}
	if stem := stemOf(name); !known && stem != "" {
		b.add(kind{stem, ""}, one)
	}
}

// of returns those of a kind. A chart that nothing is known of counts where
// nobody else brings the kind, and its name is part of the group's.
func (b bringers) of(k kind) []Bringer {
	list := slices.Concat(b[k], b[kind{k.group, "*"}])
	if len(list) > 0 {
		return list
	}
	for label := range strings.SplitSeq(k.group, ".") {
		list = append(list, b[kind{label, ""}]...)
	}
	return list
}

// Brings tells who brings the definition of a custom kind: bootstrap first,
// then in the order of the state's Kustomizations, and of one Kustomization
// what is certain first. None for kinds of Kubernetes itself, and for those
// that nothing in the tree is known to bring.
func (g *Graph) Brings(group, name string) []Bringer {
	if !isCustom(group) {
		return nil
	}
	return g.inOrder(g.crds().of(kind{group, name}))
}

// bringsGroup returns who brings any kind of a group.
func (g *Graph) bringsGroup(group string) []Bringer {
	var list []Bringer
	for k, some := range g.crds() {
		if k.group == group {
			list = append(list, some...)
		}
	}
	return g.inOrder(list)
}

func (g *Graph) inOrder(list []Bringer) []Bringer {
	position := g.order().position
	rank := func(b Bringer) (order int, doubtful int, name string) {
		if !b.Bootstrap {
			order = 1
			if b.Kustomization != nil {
				order += position[b.Kustomization]
			}
		}
		if !b.Certain {
			doubtful = 1
		}
		if b.Release != nil {
			name = b.Release.Namespace + "/" + b.Release.Name
		}
		return order, doubtful, name
	}
	slices.SortStableFunc(list, func(a, b Bringer) int {
		orderA, doubtfulA, nameA := rank(a)
		orderB, doubtfulB, nameB := rank(b)
		return cmp.Or(cmp.Compare(orderA, orderB), cmp.Compare(doubtfulA, doubtfulB), cmp.Compare(nameA, nameB))
	})
	return slices.Compact(list)
}

// fluxGroups are there before anything is applied, since Flux applies it.
var fluxGroups = []string{sourceGroup, kustomizeGroup, helmGroup, notificationGroup, imageGroup}

// platformGroups are brought by the distribution of Kubernetes.
var platformGroups = []string{"talos.dev", "helm.cattle.io", "k3s.cattle.io"}

// findBringers finds the definitions of all kinds.
func (g *Graph) findBringers() bringers {
	found := bringers{}
	for _, group := range fluxGroups {
		found.add(kind{group, "*"}, Bringer{Bootstrap: true, Certain: true})
	}
	for _, group := range platformGroups {
		found.add(kind{group, "*"}, Bringer{Bootstrap: true})
	}
	g.bootstrapBringers(found)
	for _, o := range g.objects {
		if d, ok := definitionOf(o); ok {
			found.add(d.kind, Bringer{o.Kustomization, o.Release, o.Bootstrap, true})
		}
	}
	for _, r := range g.State.Releases {
		if !isFaithful(r) && r.Object != nil {
			found.chart(chartName(r), field{value: map[string]any(r.Values)}, Bringer{Kustomization: r.Object.Kustomization, Release: r})
		}
	}
	return found
}

// bootstrapBringers adds what the releases of the bootstrap bring. Mostly a
// HelmRelease of the tree has the same chart, and tells which kinds.
func (g *Graph) bootstrapBringers(found bringers) {
	if g.State.Cluster == nil {
		return
	}
	for _, b := range g.State.Cluster.Bootstrap.Releases {
		name := path.Base(b.Chart)
		twin := g.releaseOfChart(name)
		if twin == nil || !isFaithful(twin) {
			var values field
			if twin != nil {
				values.value = map[string]any(twin.Values)
			}
			found.chart(name, values, Bringer{Bootstrap: true})
			continue
		}
		for _, o := range twin.Objects {
			if d, ok := definitionOf(o); ok {
				found.add(d.kind, Bringer{Bootstrap: true, Certain: true})
			}
		}
	}
}

// releaseOfChart returns the first release of a chart, one that could be
// rendered before others.
func (g *Graph) releaseOfChart(name string) *desired.Release {
	var found *desired.Release
	for _, r := range g.State.Releases {
		if chartName(r) == name && (found == nil || !isFaithful(found) && isFaithful(r)) {
			found = r
		}
	}
	return found
}
