package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

// liveRow is a Kustomization in the live tree.
type liveRow struct {
	observe.Object
	// depth is how many dependencies lie one behind the other before it.
	depth int
	// waits are its releases and secrets that are not up yet.
	waits []string
}

// maxWaits bounds how much of a Kustomization is told in one line.
const maxWaits = 3

// liveRows returns the Kustomizations in dependency order: none comes before
// what it depends on.
func liveRows(objects []observe.Object) []liveRow {
	byRef := map[domain.Ref]observe.Object{}
	owned := map[domain.Ref][]observe.Object{}
	for _, o := range objects {
		switch o.Kind {
		case "Kustomization":
			byRef[o.Ref] = o
		case "HelmRelease", "ExternalSecret":
			owned[o.Owner] = append(owned[o.Owner], o)
		}
	}
	depths := &depths{objects: byRef, known: map[domain.Ref]int{}}
	pods := observe.Pods(objects)
	var rows []liveRow
	for ref, o := range byRef {
		rows = append(rows, liveRow{o, depths.of(ref), waits(owned[ref], pods)})
	}
	slices.SortFunc(rows, func(a, b liveRow) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), strings.Compare(a.Name, b.Name), strings.Compare(a.Namespace, b.Namespace))
	})
	return rows
}

// depths finds how deep Kustomizations lie in the order of their dependencies.
type depths struct {
	objects map[domain.Ref]observe.Object
	known   map[domain.Ref]int
}

// of returns the depth of a Kustomization. A cycle counts from where it is
// entered; dependencies that do not exist count for nothing.
func (d *depths) of(ref domain.Ref) int {
	if depth, ok := d.known[ref]; ok {
		return depth
	}
	d.known[ref] = 0
	depth := 0
	for _, dependency := range d.objects[ref].DependsOn {
		if _, exists := d.objects[dependency]; exists {
			depth = max(depth, d.of(dependency)+1)
		}
	}
	d.known[ref] = depth
	return depth
}

// waits tells the releases and secrets that are not up, each release with its
// pods: Ready of a release says nothing about them.
func waits(owned []observe.Object, pods map[domain.Ref][]observe.Object) []string {
	var list []string
	for _, o := range owned {
		down := slices.ContainsFunc(pods[o.Ref], func(p observe.Object) bool { return !p.Ready })
		if o.Suspended || o.Ready && !down {
			continue
		}
		text := fmt.Sprintf("%s %s %s", o.Kind, printable(o.Name), o.State)
		if o.Kind == "HelmRelease" && len(pods[o.Ref]) > 0 {
			text += " (" + podStates(pods[o.Ref], o.Kind) + ")"
		}
		list = append(list, text)
	}
	if len(list) > maxWaits {
		more := len(list) - maxWaits
		list = append(list[:maxWaits], fmt.Sprintf("%d more", more))
	}
	return list
}
