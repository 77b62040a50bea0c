package repo

import (
	"slices"

	"hearth/internal/manifest"
)

// Index is what a cluster's folders hold, whether Flux reaches it or not.
// Each list is ordered by file and line.
type Index struct {
	Kustomizations  []*manifest.Document // Flux's, without the root
	HelmReleases    []*manifest.Document
	ExternalSecrets []*manifest.Document
}

// Index lists the objects in a cluster's folder and in the folders that its
// Kustomizations lead to. What Flux really applies is told by building it.
func (r *Repository) Index(c *Cluster) Index {
	folders := r.folders(c)
	in := func(d *manifest.Document) bool {
		return slices.ContainsFunc(folders, func(folder string) bool { return within(folder, d.File) })
	}
	var x Index
	for _, d := range r.tree.documents {
		var list *[]*manifest.Document
		switch {
		case d.Group() == kustomizeGroup && d.Kind() == "Kustomization":
			list = &x.Kustomizations
		case d.Group() == helmGroup && d.Kind() == "HelmRelease":
			list = &x.HelmReleases
		case d.Group() == secretsGroup && d.Kind() == "ExternalSecret":
			list = &x.ExternalSecrets
		}
		if list != nil && in(d) {
			*list = append(*list, d)
		}
	}
	return x
}

// folders returns the cluster's folder, the entry's, and those that
// Kustomizations in them lead to, without folders inside others.
func (r *Repository) folders(c *Cluster) []string {
	folders := []string{}
	add := func(folder string) bool {
		if slices.ContainsFunc(folders, func(known string) bool { return within(known, folder) }) {
			return false
		}
		folders = append(folders, folder)
		return true
	}
	add(c.Path)
	add(c.Entry.Path)
	kustomizations := r.tree.of(kustomizeGroup, "Kustomization")
	for grew := true; grew; {
		grew = false
		for _, d := range kustomizations {
			here := slices.ContainsFunc(folders, func(folder string) bool { return within(folder, d.File) })
			if target := clean(d.Text("spec", "path")); here && target != "." && r.tree.has(target) && add(target) {
				grew = true
			}
		}
	}
	return folders
}

// Documents returns the repository's objects, ordered by file and line.
func (r *Repository) Documents() []*manifest.Document { return slices.Clone(r.tree.documents) }

// Files returns the repository's files, ordered by path: all but those in
// hidden folders and what Git ignores.
func (r *Repository) Files() []manifest.File { return slices.Clone(r.tree.files) }

// Parsed returns the objects of a file, and whether the file holds nothing else:
// not where it is no manifest, where it cannot be read to its end, or where
// readers may differ on what a document of it is.
func (r *Repository) Parsed(file string) (docs []*manifest.Document, whole bool) {
	f := r.tree.byFile[file]
	return f.documents, f.whole
}
