package order

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
	"hearth/internal/spelling"
)

var substitutionUndefined = &rule.Rule{
	Name:     "substitution-undefined",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "Every variable that is substituted is defined, and so is everything that defines some",
	Why: "Flux replaces ${NAME} in everything that a Kustomization with postBuild applies. A variable that neither substitute nor substituteFrom defines, and that " +
		"has no default, fails the build, and so does a ConfigMap or Secret of substituteFrom that does not exist and is not optional.",
	Remedy: "Define the variable, give it a default as in ${NAME:=default}, or write $${NAME} where the text is to stay as it is, as in a shell script. " +
		"An object is left alone as a whole with the annotation kustomize.toolkit.fluxcd.io/substitute: disabled.",
	Section: "Flux Reconciliation States",
	Bad: `spec:
  postBuild:
    substitute:
      APP: immich
# in app/pvc.yaml
  storageClassName: ${STORAGE_CLASS}
`,
	Good: `spec:
  postBuild:
    substitute:
      APP: immich
# in app/pvc.yaml
  storageClassName: ${STORAGE_CLASS:=rook-ceph-block}
`,
	Check: checkSubstitution,
}

func checkSubstitution(p *rule.Pass) {
	for _, c := range p.Clusters {
		for _, k := range c.State.Kustomizations {
			checkSuppliers(p, c, k)
			if len(k.Undefined) == 0 {
				continue
			}
			defined := definedNames(c.State, k)
			for _, u := range k.Undefined {
				f := rule.Finding{
					Place: u.Place, Text: "${" + u.Name, Object: u.Object,
					Message: fmt.Sprintf("nothing defines ${%s}, and it has no default: %s cannot be built", u.Name, k.Object.Ref),
				}
				if !f.Place.Known() {
					f.Place = k.Object.Place("spec", "postBuild")
				}
				if meant := spelling.Guess(u.Name, defined); meant != "" {
					f.Fix = "${" + meant + "}"
				}
				p.Report(f)
			}
		}
	}
}

// checkSuppliers reports what substituteFrom names and nothing makes.
func checkSuppliers(p *rule.Pass, c *rule.Cluster, k *desired.Kustomization) {
	if k.Spec.PostBuild == nil || len(k.Spec.PostBuild.SubstituteFrom) == 0 {
		return
	}
	for _, ref := range graph.References(k.Object) {
		if ref.Optional || len(ref.Path) < 3 || ref.Path[2] != "substituteFrom" {
			continue
		}
		switch found := c.Graph.Resolve(k.Object, ref); {
		case found.Missing:
			p.Report(rule.Finding{
				Place: k.Object.Place(ref.Path...), Text: ref.Name, Object: k.Object.Ref,
				Message: fmt.Sprintf("nothing makes %s %s/%s, from which %s takes variables: it cannot be built", ref.Kind, ref.Namespace, ref.Name, k.Object.Ref),
			})
		case found.Doubt != "":
			p.Note(fmt.Sprintf("whether there is a %s %s/%s cannot be told: %s", ref.Kind, ref.Namespace, ref.Name, found.Doubt))
		}
	}
}

// definedNames lists the variables of a Kustomization that the tree tells.
func definedNames(s *desired.State, k *desired.Kustomization) []string {
	names := map[string]bool{}
	if k.Spec.PostBuild == nil {
		return nil
	}
	for name := range k.Spec.PostBuild.Substitute {
		names[name] = true
	}
	for _, from := range k.Spec.PostBuild.SubstituteFrom {
		o := s.Find("", from.Kind, k.Namespace, from.Name)
		if o == nil {
			continue
		}
		for _, field := range []string{"data", "stringData"} {
			content, _, _ := unstructured.NestedMap(o.Object, field)
			for name := range content {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
