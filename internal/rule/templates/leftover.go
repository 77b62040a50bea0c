package templates

import (
	"fmt"
	"regexp"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
	"hearth/internal/rule/images"
)

var templateLeftover = &rule.Rule{
	Name:     "template-leftover",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "Nothing of a template is left in what Flux applies",
	Why: "Flux renders no Jinja2, and replaces variables only in Kustomizations that ask for it. What is left stands in " +
		"the object as it is written: the API server refuses such a name, no image of that name can be pulled, and " +
		"nobody asks for such a host.",
	Remedy: "Render the file before committing it. For a variable, give the Kustomization a `postBuild.substitute` or " +
		"`substituteFrom` that defines it, or write the value.",
	Section: "Rule 6: Templates are for Talos and bootstrap only",
	Bad: "metadata:\n" +
		"  name: {{ app }}\n",
	Good: "metadata:\n" +
		"  name: immich\n",
	Check: checkLeftover,
}

func checkLeftover(p *rule.Pass) {
	checkFiles(p)
	for _, c := range p.Clusters {
		for _, o := range c.State.Objects {
			if o.Bootstrap {
				continue // rendered with variables that nobody knows
			}
			for _, f := range fields(o) {
				report(p, o, f.what, func() domain.Place { return o.Place(f.path...) }, f.text, true)
			}
		}
		for _, r := range c.State.Releases {
			for _, f := range hostValues(r) {
				report(p, r.Object, "host", func() domain.Place { return r.ValuePlace(f.path...) }, f.text, false)
			}
		}
		for _, i := range images.Unfinished(c.State) {
			report(p, i.Object, "image", i.Place, i.Text(), true)
		}
	}
}

var (
	// variable is what Flux would replace.
	variable = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*[^}]*\}`)
	// jinja is what a renderer of templates would.
	jinja = regexp.MustCompile(`\{\{.*?\}\}|\{%.*?%\}`)
)

// consequences say what becomes of an object.
var consequences = map[string]string{
	"name":      "the API server refuses the object",
	"namespace": "the API server refuses the object",
	"host":      "nobody asks for that host",
	"image":     "no such image can be pulled",
}

// report reports what is left of a template in a text, if anything is.
func report(p *rule.Pass, o *desired.Object, what string, place func() domain.Place, text string, templates bool) {
	left := variable.FindString(text)
	if left == "" && templates {
		left = jinja.FindString(text)
	}
	if left == "" {
		return
	}
	p.Report(rule.Finding{
		Place: place(), Text: left, Object: o.Ref,
		Message: fmt.Sprintf("%s is left in the %s: nothing replaces it, so that %s", left, what, consequences[what]),
		Fix:     fixOf(o, left),
	})
}

// fixOf says how a variable comes to be replaced.
func fixOf(o *desired.Object, left string) string {
	k := o.Kustomization
	switch {
	case !strings.HasPrefix(left, "$"):
		return "write what the template renders to"
	case k == nil:
		return "write the value"
	case k.Spec.PostBuild == nil:
		return fmt.Sprintf("the Kustomization %s/%s substitutes nothing: give it a postBuild, or write the value", k.Object.GetNamespace(), k.Object.GetName())
	}
	return "write the value"
}
