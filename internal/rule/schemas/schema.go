package schemas

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/render/desired"
	"hearth/internal/rule"
	"hearth/internal/schema"
)

var schemaRule = &rule.Rule{
	Name:     "schema",
	Topic:    "schema",
	Severity: rule.Error,
	Unless:   []string{"interval-format"},
	Title:    "Every object is what the API of its kind admits",
	Why: "The API server refuses an object with a misspelt field, a value of the wrong type or a version that it does not serve. " +
		"Flux then applies nothing of the Kustomization that the object is part of, and a HelmRelease fails. YAML adds traps of its own: " +
		"a value such as true, 1.10 or 0755 is no text unless it is put in quotes, and a word such as yes is no boolean to Kubernetes.",
	Remedy:  "Correct the field that is named. Put values in quotes where a text is wanted, and write true or false where a boolean is.",
	Section: "Capsule: ImageUpdateFlow",
	Bad: "apiVersion: v1\n" +
		"kind: Service\n" +
		"metadata:\n" +
		"  name: web\n" +
		"  labels:\n" +
		"    version: 1.10\n" +
		"spec:\n" +
		"  prots:\n" +
		"    - port: \"80\"\n",
	Good: "apiVersion: v1\n" +
		"kind: Service\n" +
		"metadata:\n" +
		"  name: web\n" +
		"  labels:\n" +
		"    version: \"1.10\"\n" +
		"spec:\n" +
		"  ports:\n" +
		"    - port: 80\n",
	Check: checkSchema,
}

func checkSchema(p *rule.Pass) {
	missing, later, rendered := unjudged{}, doubtful{}, releases{}
	for _, c := range p.Clusters {
		set := schema.Embedded().With(definitions(p, c.State)...)
		for o := range c.State.All() {
			if p.Context.Err() != nil {
				return
			}
			if o.Release != nil && !rendered.judgeable(p, o) {
				continue
			}
			problems, known := set.Validate(plain(o), options(c, o))
			if !known {
				missing.add(o)
			}
			for _, problem := range later.certain(o, problems) {
				p.Report(finding(o, problem))
			}
		}
		checkPatches(p, c.State)
	}
	missing.note(p)
	later.note(p)
}

// releases are those of which it was told that what they render is not judged.
type releases map[*desired.Release]bool

// judgeable reports whether what a chart renders can be told to be what Helm
// would apply. The definitions that a chart brings are its vendor's matter.
func (told releases) judgeable(p *rule.Pass, o *desired.Object) bool {
	r := o.Release
	if r.StandIn || o.GetKind() == definitionKind {
		return false
	}
	if len(r.Spec.PostRenderers) > 0 && !told[r] {
		told[r] = true
		p.Note(fmt.Sprintf("what %s renders is not held against the schemas, since its postRenderers change it", r.Object.Ref))
	}
	return !told[r]
}

func options(c *rule.Cluster, o *desired.Object) schema.Options {
	_, encrypted := o.Object["sops"]
	return schema.Options{
		Kubernetes: c.Config.KubernetesVersion,
		Unknown: func(text string) bool {
			return c.State.Unknown(text) || strings.Contains(text, "${") || encrypted && strings.HasPrefix(text, "ENC[")
		},
	}
}

// plain returns the object as Flux applies it: without what SOPS adds.
func plain(o *desired.Object) *unstructured.Unstructured {
	if _, encrypted := o.Object["sops"]; !encrypted {
		return o.Unstructured
	}
	fields := make(map[string]any, len(o.Object))
	for name, value := range o.Object {
		if name != "sops" {
			fields[name] = value
		}
	}
	return &unstructured.Unstructured{Object: fields}
}

func finding(o *desired.Object, problem schema.Problem) rule.Finding {
	f := rule.Finding{
		Place: o.Place(problem.Path...), Text: lastName(problem.Path), Object: o.Ref,
		Message: problem.Message, Fix: problem.Fix, Sensitive: problem.Sensitive,
	}
	switch {
	case problem.Release != "":
		f.Message += ", by the definition of " + problem.Release + " that Hearth carries"
	case problem.Dated:
		f.Message += ", in the release of its operator that Hearth knows"
	}
	if o.Release != nil {
		f.Message = fmt.Sprintf("the chart renders %s with a fault: %s", o.Ref, f.Message)
		f.Text = ""
	}
	// The cluster may have another release of the operator. Flux applies
	// server-side; Helm and those who bootstrap mostly do not.
	if problem.Release != "" || problem.Dated || problem.Tolerated && (o.Release != nil || o.Bootstrap) {
		f.Severity = rule.Warning
	}
	return f
}

// lastName returns the last step of a path that is no index.
func lastName(path []string) string {
	for _, step := range slices.Backward(path) {
		if _, err := strconv.Atoi(step); err != nil {
			return step
		}
	}
	return ""
}
