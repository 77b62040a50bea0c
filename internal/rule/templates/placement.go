package templates

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/rule"
)

var templatePlacement = &rule.Rule{
	Name:     "template-placement",
	Topic:    topic,
	Severity: rule.Warning,
	Title:    "Templates stand in the folders for them, and no kustomization lists one",
	Why: "Templates are rendered on somebody's machine, with variables that are not in Git. Flux renders nothing: a " +
		"template among its manifests is left out in silence, or applied as it stands. What runs is then not what the " +
		"file seems to say.",
	Remedy: "Write manifests as static YAML; for a value that differs between clusters use the substitution of Flux. " +
		"Keep templates of Talos and bootstrap in their folders; others are declared with `templates.folders` in .hearth.yaml.",
	Section: "Rule 6: Templates are for Talos and bootstrap only",
	Bad: "resources:\n" +
		"  - helmrelease.yaml.j2\n",
	Good: "resources:\n" +
		"  - helmrelease.yaml\n",
	Check: checkPlacement,
}

func checkPlacement(p *rule.Pass) {
	listed := map[string]bool{}
	for _, d := range p.Repository.Documents() {
		if isKustomization(d) && !elsewhere(p, d.File) {
			checkListed(p, d, listed)
		}
	}
	folders := clusterFolders(p)
	for _, f := range p.Repository.Files() {
		if !isTemplate(f.Path) || listed[f.Path] || p.Config.Templates.Allow(f.Path) || elsewhere(p, f.Path) {
			continue
		}
		if !slices.ContainsFunc(folders, func(folder string) bool { return within(folder, f.Path) }) {
			continue // not one of what Flux applies
		}
		p.Report(rule.Finding{
			Place:   domain.Place{File: f.Path, Line: 1},
			Message: "a template among manifests: Flux renders none, and templates belong in " + strings.Join(p.Config.Templates.Folders, ", "),
			Fix:     "commit what it renders to, or move it",
		})
	}
}

// lists are the fields of a kustomization that name files.
var lists = []string{
	"resources", "components", "bases", "crds", "configurations", "generators", "transformers", "validators",
	"patchesStrategicMerge", "openapi",
}

// mappings are those whose items name one under path.
var mappings = []string{"patches", "patchesJson6902", "replacements"}

// checkListed reports the templates that a kustomization lists, and notes all
// that it names: an application may want its own as they are.
func checkListed(p *rule.Pass, d *manifest.Document, listed map[string]bool) {
	note := func(name string) { listed[path.Join(path.Dir(d.File), name)] = true }
	report := func(name, message string, at ...string) {
		note(name)
		p.Report(rule.Finding{Severity: rule.Error, Place: d.Place(at...), Text: name, Message: message})
	}
	const asResource = "kustomize does not render templates: it reads this one as YAML as it stands, and fails or applies what nobody meant"
	for _, field := range lists {
		items(d, []string{field}, func(at []string) {
			if name := d.Text(at...); isTemplate(name) && !strings.ContainsAny(name, "\n") {
				report(name, asResource, at...)
			}
		})
	}
	for _, field := range mappings {
		items(d, []string{field}, func(at []string) {
			if name := d.Text(append(at, "path")...); isTemplate(name) {
				report(name, asResource, append(at, "path")...)
			}
		})
	}
	for _, generator := range []string{"configMapGenerator", "secretGenerator"} {
		items(d, []string{generator}, func(at []string) {
			for _, field := range []string{"files", "envs"} {
				items(d, append(at, field), func(at []string) {
					key, name, named := strings.Cut(d.Text(at...), "=")
					if !named {
						name = key
					}
					switch {
					case !isTemplate(name):
					case field == "files" && isTemplate(path.Base(key)):
						note(name) // an application that renders it itself
					default:
						report(name, fmt.Sprintf("nothing renders this template: %s would hold it as it stands", d.Text(append(at[:2:2], "name")...)), at...)
					}
				})
			}
		})
	}
}

// items calls f with the path of each item of a list.
func items(d *manifest.Document, list []string, f func(at []string)) {
	for i := 0; ; i++ {
		at := append(slices.Clip(list), strconv.Itoa(i))
		if _, ok := d.Find(at...); !ok {
			return
		}
		f(slices.Clip(at))
	}
}
