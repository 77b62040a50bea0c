package layout

import (
	"fmt"
	"path"
	"slices"
	"strconv"

	"hearth/internal/manifest"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

var resourceMissing = &rule.Rule{
	Name:     "resource-missing",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "What a kustomization.yaml names is there",
	Why: "Kustomize stops at the first resource, component, patch or generator file that it cannot find. The whole build fails then: " +
		"not even the files that are there are applied.",
	Remedy:  "Correct the name, add the file, or remove the line. A folder among the resources needs a kustomization.yaml of its own.",
	Section: "App Structure Triad",
	Bad: `# the file is called helmrelease.yaml
resources:
  - helm-release.yaml
`,
	Good: `resources:
  - helmrelease.yaml
`,
	Check: checkResources,
}

// resources checks kustomization files, each once.
type resources struct {
	*tree
	pass *rule.Pass
	seen map[string]bool // folders
}

func checkResources(p *rule.Pass) {
	r := resources{tree: newTree(p.Repository), pass: p, seen: map[string]bool{}}
	for _, c := range p.Clusters {
		folders := clusterFolders(c)
		for _, d := range r.documents {
			if !isKustomization(d.File) {
				continue
			}
			inside := slices.ContainsFunc(folders, func(folder string) bool { return within(folder, d.File) })
			if inside && !p.Config.Templates.Allow(d.File) || c.State.Reached(d.File) {
				r.check(path.Dir(d.File))
			}
		}
		for _, k := range c.State.Kustomizations {
			if folder, ok := builtFolder(k); ok {
				r.check(folder)
				r.components(k, folder)
			}
		}
	}
}

// check reports what the kustomization of a folder names and is not there, and
// goes on in the folders that it names.
func (r *resources) check(folder string) {
	doc := r.kustomizations[folder]
	if doc == nil || r.seen[folder] {
		return
	}
	r.seen[folder] = true
	for _, ref := range references(doc) {
		switch {
		case r.missing(ref.target):
			r.report(doc, ref)
		case ref.build && r.isFolder(ref.target) && !r.isBuilt(ref.target):
			r.pass.Report(rule.Finding{
				Place: doc.Place(ref.field...), Text: ref.text,
				Message: fmt.Sprintf("the folder %s has no kustomization.yaml: building %s fails, and nothing of it is applied", ref.target, named(folder)),
			})
		default:
			r.check(ref.target)
		}
	}
}

func (r *resources) report(doc *manifest.Document, ref reference) {
	f := rule.Finding{
		Place: doc.Place(ref.field...), Text: ref.text,
		Message: fmt.Sprintf("there is no %s: building %s fails, and nothing of it is applied", ref.target, named(path.Dir(doc.File))),
	}
	if like := r.siblingLike(ref.target); like != "" {
		f.Fix = path.Join(path.Dir(ref.text), path.Base(like))
	}
	r.pass.Report(f)
}

// components checks those that a Flux Kustomization lays over its folder.
func (r *resources) components(k *desired.Kustomization, folder string) {
	for i, text := range k.Spec.Components {
		target, ok := local(folder, text)
		switch {
		case !ok:
		case r.missing(target) && !k.Spec.IgnoreMissingComponents:
			r.pass.Report(rule.Finding{
				Place: k.Object.Place("spec", "components", strconv.Itoa(i)), Text: text, Object: k.Object.Ref,
				Message: fmt.Sprintf("there is no %s: building %s fails, and nothing of it is applied", target, k.Object.Ref),
			})
		default:
			r.check(target)
		}
	}
}

// named names a folder of the repository.
func named(folder string) string {
	if folder == "." {
		return "the repository"
	}
	return folder
}
