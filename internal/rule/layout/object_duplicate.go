package layout

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

var objectDuplicate = &rule.Rule{
	Name:     "object-duplicate",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "No object is applied by two Kustomizations of a cluster",
	Why: "Each of the two puts its own version of the object in place at every interval, and marks it as its own. " +
		"As soon as the object leaves the one that applied it last, or that Kustomization is removed, it is pruned, although the other still wants it.",
	Remedy: "Leave the object to one Kustomization and let the other depend on it. A component that brings a shared object belongs into the " +
		"kustomization of the namespace, not into that of each application. Copies that say the same are a warning only.",
	Section: "Rule 1: GitOps is the source of truth",
	Bad: `# a/kustomization.yaml and b/kustomization.yaml, built by two Kustomizations
resources:
  - ../shared/configmap.yaml
`,
	Good: `# a/kustomization.yaml; the Kustomization of b depends on that of a
resources:
  - ../shared/configmap.yaml
`,
	Check: checkDuplicates,
}

// identity is what makes two objects the same.
type identity struct{ group, kind, namespace, name string }

func checkDuplicates(p *rule.Pass) {
	for _, c := range p.Clusters {
		copies := map[identity][]*desired.Object{}
		var order []identity
		for _, o := range c.State.Objects {
			if !appliedHere(o) || c.State.Unknown(o.GetName()) || c.State.Unknown(o.GetNamespace()) {
				continue
			}
			id := identity{o.GroupVersionKind().Group, o.GetKind(), o.GetNamespace(), o.GetName()}
			if len(copies[id]) == 1 {
				order = append(order, id)
			}
			copies[id] = append(copies[id], o)
		}
		for _, id := range order {
			if !shared(copies[id]) {
				reportDuplicate(p, copies[id])
			}
		}
	}
}

// appliedHere reports whether a Kustomization applies an object to its own
// cluster, and does so now.
func appliedHere(o *desired.Object) bool {
	k := o.Kustomization
	return k != nil && !o.Bootstrap && !k.Spec.Suspend && k.Spec.KubeConfig == nil
}

// shared reports whether one Kustomization alone applies the copies, or they
// are meant to be shared: Flux is told to leave a copy alone that is there, or
// all say the same and none is pruned.
func shared(copies []*desired.Object) bool {
	one, same := true, true
	for _, o := range copies {
		if metadata(o, fluxPrefix+"reconcile") == "disabled" || slices.Contains([]string{"IfNotPresent", "Ignore", "Merge"}, metadata(o, fluxPrefix+"ssa")) {
			return true
		}
		one = one && o.Kustomization == copies[0].Kustomization
		same = same && equal(o, copies[0]) && keptFromPruning(o)
	}
	return one || same
}

func equal(a, b *desired.Object) bool { return reflect.DeepEqual(a.Object, b.Object) }

func reportDuplicate(p *rule.Pass, copies []*desired.Object) {
	first, last := copies[0], copies[len(copies)-1]
	f := rule.Finding{Place: last.Place(), Object: last.Ref}
	var by []string
	same := true
	for _, o := range copies {
		if name := o.Kustomization.Object.Ref.Namespace + "/" + o.Kustomization.Object.Ref.Name; !slices.Contains(by, name) {
			by = append(by, name)
		}
		same = same && equal(o, first)
	}
	from := ""
	if place := first.Place(); place != f.Place {
		from = " (" + place.String() + ")"
	}
	consequence := "each undoes the other at every interval, and a prune of one deletes it"
	if same {
		f.Severity = rule.Warning
		consequence = "a prune of the last to apply it deletes it for all"
	}
	f.Message = fmt.Sprintf("%s is applied by the Kustomizations %s%s: %s", last.Ref, enumerate(by), from, consequence)
	p.Report(f)
}

// maxNamed is how many names a message holds.
const maxNamed = 3

// enumerate writes names as a sentence does.
func enumerate(names []string) string {
	if len(names) > maxNamed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
