package repo

import (
	"cmp"
	"fmt"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

// API groups that tell an entry.
const (
	kustomizeGroup = "kustomize.toolkit.fluxcd.io"
	sourceGroup    = "source.toolkit.fluxcd.io"
	helmGroup      = "helm.toolkit.fluxcd.io"
	operatorGroup  = "fluxcd.controlplane.io"
	secretsGroup   = "external-secrets.io"
)

// discover finds the entries that the tree shows, in the order of the ways of
// finding them. A path is the entry of the first way that finds it. Root
// Kustomizations are asked for only where nothing else tells.
func (r *Repository) discover() []Entry {
	var found []Entry
	for _, way := range []func() []Entry{r.fluxReleases, r.fluxInstances, r.syncFiles, r.clusterFolders} {
		found = r.join(found, way())
	}
	if len(found) == 0 {
		found = r.join(found, r.rootEntries())
	}
	return found
}

// join adds entries whose path is new and exists.
func (r *Repository) join(found, more []Entry) []Entry {
	for _, e := range more {
		if !r.tree.has(e.Path) {
			r.Problems = append(r.Problems, &Problem{Place: e.Place,
				Message: fmt.Sprintf("Flux is to read from the folder %s, which does not exist", e.Path)})
			continue
		}
		if !knows(found, e) {
			found = append(found, e)
		}
	}
	return found
}

// knows reports whether an entry, or one that reads in the same folder of
// clusters, has been found already.
func knows(found []Entry, e Entry) bool {
	for _, f := range found {
		if f.Path == e.Path {
			return true
		}
		if e.FoundBy != FoundInFolder {
			continue
		}
		if within(e.Path, f.Path) || within(e.Path, f.Place.File) {
			return true
		}
	}
	return false
}

// declaredEntry makes the entry that .hearth.yaml declares.
func (r *Repository) declaredEntry(c EntryConfig, folder string, line int) Entry {
	e := Entry{
		Kind: c.Kind, URL: cmp.Or(c.URL, r.origin, unknownURL(r.Root)), Ref: cmp.Or(c.Ref, r.branchRef()), Path: cmp.Or(c.Path, folder),
		Namespace: c.Namespace, Name: c.Name, FoundBy: FoundInConfig, Place: domain.Place{File: ConfigFile, Line: line},
	}
	return e.complete("")
}

// unknownURL stands in where nothing tells a repository's URL. It resolves nowhere.
func unknownURL(root string) string {
	name := root[strings.LastIndexAny(root, `/\`)+1:]
	return "https://git.invalid/" + name
}

func (r *Repository) branchRef() string {
	if r.Revision.Branch == "" {
		return ""
	}
	return "refs/heads/" + r.Revision.Branch
}

// syncFiles finds the entries that `flux bootstrap` has written down.
func (r *Repository) syncFiles() []Entry {
	var found []Entry
	for _, d := range r.tree.of(kustomizeGroup, "Kustomization") {
		if !strings.HasSuffix("/"+d.File, "/gotk-sync.yaml") {
			continue
		}
		for _, source := range r.tree.in(d.File) {
			if source.Group() == sourceGroup && source.Kind() == d.Text("spec", "sourceRef", "kind") && source.Name() == d.Text("spec", "sourceRef", "name") {
				found = append(found, entryOf(d, source, FoundInSync))
			}
		}
	}
	return found
}

// entryOf makes an entry of the two objects as they stand in the tree.
func entryOf(kustomization, source *manifest.Document, by Discovery) Entry {
	e := Entry{
		Kind:      source.Kind(),
		URL:       cmp.Or(source.Text("spec", "url"), source.Text("spec", "endpoint")),
		Ref:       refOf(source),
		Path:      clean(kustomization.Text("spec", "path")),
		Namespace: cmp.Or(kustomization.Namespace(), fluxNamespace),
		Name:      kustomization.Name(),
		Interval:  source.Text("spec", "interval"),
		FoundBy:   by,
		Place:     kustomization.Place("spec", "path"),
	}
	for _, d := range []*manifest.Document{source, kustomization} {
		o := unstructuredOf(d)
		if o.GetNamespace() == "" {
			o.SetNamespace(e.Namespace)
		}
		e.objects = append(e.objects, o)
	}
	return e
}

// refOf returns what a source follows, in Entry's form.
func refOf(source *manifest.Document) string {
	if branch := source.Text("spec", "ref", "branch"); branch != "" {
		return "refs/heads/" + branch
	}
	if tag := source.Text("spec", "ref", "tag"); tag != "" && source.Kind() == "GitRepository" {
		return "refs/tags/" + tag
	}
	for _, field := range []string{"name", "commit", "semver", "tag", "digest"} {
		if ref := source.Text("spec", "ref", field); ref != "" {
			return ref
		}
	}
	return source.Text("spec", "bucketName")
}
