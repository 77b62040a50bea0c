package layout

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/rule"
	"hearth/internal/source"
)

var manifestOrphan = &rule.Rule{
	Name:     "manifest-orphan",
	Topic:    topic,
	Severity: rule.Warning,
	Title:    "Every manifest of a cluster is applied by something",
	Why: "A manifest that no kustomization.yaml lists looks like part of the cluster and is not: changes to it do nothing, and nobody is told. " +
		"Where it was applied once, Flux has pruned it.",
	Remedy: "List it in the kustomization.yaml of its folder, or remove it: Git remembers it. What is parked on purpose can be excluded in .hearth.yaml, " +
		"or told so with an ignore comment.",
	Section: "Rule 1: GitOps is the source of truth",
	Bad: `# kubernetes/main/apps/media/kustomization.yaml; there is a folder jellyfin, too
resources:
  - namespace.yaml
  - immich/install.yaml
`,
	Good: `resources:
  - namespace.yaml
  - immich/install.yaml
  - jellyfin/install.yaml
`,
	Check: checkOrphans,
}

func checkOrphans(p *rule.Pass) {
	t := newTree(p.Repository)
	o := orphans{reach: newReach(t, p.Clusters), pass: p, flux: map[string]bool{}, generated: map[*rule.Cluster]bool{}}
	for _, c := range p.Clusters {
		// Objects made at run time reach what nobody can tell.
		o.generated[c] = len(c.State.OfKind("fluxcd.controlplane.io", "ResourceSet")) > 0
	}
	groups := map[string][]string{}
	var order []string
	for _, f := range t.files {
		if o.reached(f) || !o.isManifest(f) || !o.inScope(f) || o.leftOut(f) {
			continue
		}
		g := o.group(f)
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], f)
	}
	for _, g := range order {
		o.report(g, groups[g])
	}
}

// orphans finds manifests that nothing applies.
type orphans struct {
	*reach
	pass    *rule.Pass
	ignored func(name string, isDir bool) bool // by Flux's sources; nil until it is asked for
	flux    map[string]bool                    // groups that were asked about
	// generated says of a cluster that objects in it make Kustomizations.
	generated map[*rule.Cluster]bool
}

// foreignGroups are those of files that look like objects of a cluster, and
// configure a tool.
var foreignGroups = map[string]bool{
	"k0sctl.k0sproject.io": true, "eksctl.io": true, "kind.x-k8s.io": true, "ctlptl.dev": true, "k3d.io": true,
	"backstage.io": true, "skaffold": true, "config.kubernetes.io": true, "kubeadm.k8s.io": true, "kubelet.config.k8s.io": true,
	"apiserver.config.k8s.io": true, "audit.k8s.io": true, "client.authentication.k8s.io": true, "constellation.mattmoyer.dev": true,
}

// isManifest reports whether a file holds objects of a cluster, or what builds
// them.
func (o *orphans) isManifest(file string) bool {
	if isKustomization(file) {
		return len(o.in[file]) > 0
	}
	return slices.ContainsFunc(o.in[file], func(d *manifest.Document) bool {
		return d.IsObject() && !isTemplate(d.Kind()+d.APIVersion()+strings.ReplaceAll(d.Name(), "${", "")) &&
			!foreignGroups[d.Group()] && (d.Group() != "" || d.APIVersion() == "v1")
	})
}

// inScope reports whether a file belongs to a cluster that is judged, or to
// none where all are judged.
func (o *orphans) inScope(file string) bool {
	if o.pass.Config.Templates.Allow(file) {
		return false
	}
	judged, generated := map[string]bool{}, false
	for _, c := range o.clusters {
		judged[c.Name] = true
		generated = generated || o.generated[c]
	}
	for _, c := range o.pass.Repository.Clusters {
		if !judged[c.Name] && within(c.Path, file) {
			return false
		}
	}
	for _, c := range o.clusters {
		if slices.ContainsFunc(clusterFolders(c), func(folder string) bool { return within(folder, file) }) {
			return !o.generated[c]
		}
	}
	return len(judged) == len(o.pass.Repository.Clusters) && !generated && o.isFlux(file)
}

// isFlux reports whether a file outside of all clusters stands in a folder
// that was made for Flux or kustomize, with all that is in it.
func (o *orphans) isFlux(file string) bool {
	group := o.group(file)
	flux, asked := o.flux[group]
	if !asked {
		flux = slices.ContainsFunc(o.documents, func(d *manifest.Document) bool {
			return within(group, d.File) && (isKustomization(d.File) || strings.HasSuffix(d.Group(), ".toolkit.fluxcd.io"))
		})
		o.flux[group] = flux
	}
	return flux
}

// leftOut reports whether Flux's sources leave a file out.
func (o *orphans) leftOut(file string) bool {
	if o.ignored == nil {
		o.ignored = func(string, bool) bool { return false }
		if ignored, err := source.Ignore(o.root, ""); err == nil {
			o.ignored = ignored
		}
	}
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if o.ignored(dir, true) {
			return true
		}
	}
	return o.ignored(file, false)
}

// group returns the topmost folder above a file of which nothing is reached,
// or the file itself.
func (o *orphans) group(file string) string {
	group := file
	for dir := path.Dir(file); dir != "." && !o.holds[dir]; dir = path.Dir(dir) {
		group = dir
	}
	return group
}

// report reports the manifests of a group where its first file stands.
func (o *orphans) report(group string, files []string) {
	first := slices.MinFunc(files, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(a, "/"), strings.Count(b, "/")), cmp.Compare(o.rank(a), o.rank(b)), strings.Compare(a, b))
	})
	doc := o.in[first][0]
	what := "this manifest"
	switch {
	case doc.Kind() == "Component" && isKustomization(first):
		o.pass.Report(rule.Finding{Place: domain.Place{File: first, Line: doc.Line},
			Message: fmt.Sprintf("no kustomization uses the component %s", path.Dir(first))})
		return
	case group != first && len(files) > 1:
		what = fmt.Sprintf("the folder %s (%d manifests)", group, len(files))
	case group != first:
		what = "the folder " + group
	}
	f := rule.Finding{Place: domain.Place{File: first, Line: doc.Line}, Message: fmt.Sprintf("nothing applies %s: %s", what, o.why(group, first))}
	if doc.IsObject() {
		f.Object = doc.Ref()
	}
	o.pass.Report(f)
}

// rank orders the files of a folder by how much they say about it.
func (o *orphans) rank(file string) int {
	switch {
	case o.in[file][0].Group() == kustomizeGroup:
		return 0
	case isKustomization(file):
		return 1
	}
	return 2
}

// why names the file that would have to list the group: the nearest one above
// that does so for others.
func (o *orphans) why(group, first string) string {
	for dir := path.Dir(group); ; dir = path.Dir(dir) {
		if doc := o.kustomizations[dir]; doc != nil && o.reached(doc.File) {
			return listing(doc, dir, group, first)
		}
		if file := o.fluxFile(dir); file != "" {
			return fmt.Sprintf("no Kustomization in %s leads to it", file)
		}
		if dir == "." {
			return "no Kustomization of a cluster leads to it, and neither does bootstrap"
		}
	}
}

// fluxFile returns a file of a folder whose Flux Kustomizations are reached.
func (o *orphans) fluxFile(dir string) string {
	for _, f := range o.files {
		if path.Dir(f) == dir && o.reached(f) && slices.ContainsFunc(o.in[f], func(d *manifest.Document) bool { return d.Group() == kustomizeGroup }) {
			return f
		}
	}
	return ""
}

// listing says that a kustomization does not list a group, or only in a comment.
func listing(doc *manifest.Document, dir, group, first string) string {
	for _, name := range []string{first, group} {
		name = strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")
		if isCommentedOut(doc.Node, name) {
			return fmt.Sprintf("%s lists %s in a comment only", doc.File, name)
		}
	}
	return fmt.Sprintf("%s does not list %s", doc.File, strings.TrimPrefix(strings.TrimPrefix(group, dir), "/"))
}
