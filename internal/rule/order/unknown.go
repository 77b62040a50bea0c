package order

import (
	"cmp"
	"fmt"
	"strconv"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
	"hearth/internal/spelling"
)

var dependsOnUnknown = &rule.Rule{
	Name:     "depends-on-unknown",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "What dependsOn names is applied by something",
	Why: "A Kustomization or HelmRelease waits until everything that dependsOn names is ready. For an object that does not exist it waits for ever, " +
		"and so does everything behind it.",
	Remedy: "Correct the name, or add the namespace: without one Flux looks in the namespace of the object itself. " +
		"The dependencies of a HelmRelease are HelmReleases, those of a Kustomization are Kustomizations.",
	Section: "Capsule: FluxDependencyChain",
	Bad: `metadata:
  name: immich
  namespace: media
spec:
  dependsOn:
    - name: external-secrets
`,
	Good: `metadata:
  name: immich
  namespace: media
spec:
  dependsOn:
    - name: external-secrets
      namespace: external-secrets
`,
	Check: checkUnknown,
}

// dependency is one entry of dependsOn.
type dependency struct {
	of   *desired.Object
	on   domain.Ref
	path []string
	// has lists the objects of the kind.
	has []domain.Ref
}

func checkUnknown(p *rule.Pass) {
	for _, c := range p.Clusters {
		var kustomizations, releases []domain.Ref
		for _, k := range c.State.Kustomizations {
			kustomizations = append(kustomizations, k.Object.Ref)
		}
		for _, r := range c.State.Releases {
			releases = append(releases, r.Object.Ref)
		}
		for _, k := range c.State.Kustomizations {
			for i, on := range k.Spec.DependsOn {
				ref := domain.Ref{Kind: "Kustomization", Namespace: cmp.Or(on.Namespace, k.Namespace), Name: on.Name}
				checkDependency(p, c, kustomizeGroup, dependency{k.Object, ref, dependsOnPath(i), kustomizations})
			}
		}
		for _, r := range c.State.Releases {
			for i, on := range r.Spec.DependsOn {
				ref := domain.Ref{Kind: "HelmRelease", Namespace: cmp.Or(on.Namespace, r.Namespace), Name: on.Name}
				checkDependency(p, c, helmGroup, dependency{r.Object, ref, dependsOnPath(i), releases})
			}
		}
	}
}

func dependsOnPath(i int) []string { return []string{"spec", "dependsOn", strconv.Itoa(i), "name"} }

func checkDependency(p *rule.Pass, c *rule.Cluster, group string, d dependency) {
	if d.on.Name == "" || c.State.Find(group, d.on.Kind, d.on.Namespace, d.on.Name) != nil || c.State.Unknown(d.on.Name) || c.State.Unknown(d.on.Namespace) {
		return
	}
	if why := elsewhere(p, c, group, d.on); why != "" {
		p.Note(fmt.Sprintf("whether there is a %s cannot be told: %s", d.on, why))
		return
	}
	f := rule.Finding{
		Place: d.of.Place(d.path...), Text: d.on.Name, Object: d.of.Ref,
		Message: fmt.Sprintf("nothing applies %s, on which %s depends: it waits for ever", d.on, d.of.Ref),
	}
	if meant := d.meant(); meant.Name != "" {
		f.Fix = "name: " + meant.Name
		if meant.Namespace != d.of.Ref.Namespace {
			f.Fix += ", namespace: " + meant.Namespace
		}
	}
	p.Report(f)
}

// elsewhere says why an object may exist that the cluster's tree does not
// show; "" where it surely does not.
func elsewhere(p *rule.Pass, c *rule.Cluster, group string, ref domain.Ref) string {
	failed := false
	for _, k := range c.State.Kustomizations {
		if k.Foreign && (k.Spec.TargetNamespace == "" || k.Spec.TargetNamespace == ref.Namespace) {
			return k.Object.Ref.String() + " applies what is not in this repository"
		}
		failed = failed || k.Err != nil
	}
	if len(c.State.OfKind("fluxcd.controlplane.io", "ResourceSet")) > 0 {
		return "a ResourceSet makes objects from templates"
	}
	if failed && standsInTree(p.Repository.Documents(), group, ref) {
		return "what holds it cannot be built"
	}
	return ""
}

func standsInTree(documents []*manifest.Document, group string, ref domain.Ref) bool {
	for _, d := range documents {
		if d.Kind() == ref.Kind && d.Group() == group && d.Name() == ref.Name {
			return true
		}
	}
	return false
}

// meant returns the object that the dependency probably means: of the same
// name in another namespace, or with a name that is spelled nearly like it.
func (d dependency) meant() domain.Ref {
	var names []string
	for _, ref := range d.has {
		if ref.Name == d.on.Name {
			return ref
		}
		if ref != d.of.Ref {
			names = append(names, ref.Name)
		}
	}
	name := spelling.Guess(d.on.Name, names)
	best := domain.Ref{}
	for _, ref := range d.has {
		if ref.Name == name && name != "" && (best.Name == "" || ref.Namespace == d.on.Namespace) {
			best = ref
		}
	}
	return best
}
