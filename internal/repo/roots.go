package repo

import (
	"cmp"
	"maps"
	"path"
	"slices"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

// clusterFolders finds the folders clusters/NAME that hold Flux Kustomizations.
func (r *Repository) clusterFolders() []Entry {
	folders := map[string]bool{}
	for _, d := range r.tree.of(kustomizeGroup, "Kustomization") {
		for dir := path.Dir(d.File); dir != "."; dir = path.Dir(dir) {
			if path.Base(path.Dir(dir)) == "clusters" {
				folders[dir] = true
			}
		}
	}
	var found []Entry
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		if e, ok := r.rootEntry(folder); ok {
			e.FoundBy = FoundInFolder
			found = append(found, e)
		}
	}
	return found
}

// rootEntry makes the entry of one folder. A single Kustomization in it that
// applies itself is the entry; otherwise the whole folder is read.
func (r *Repository) rootEntry(folder string) (Entry, bool) {
	g := r.fluxGraph(folder)
	if len(g.all) == 0 {
		return Entry{}, false
	}
	if roots := g.roots(); len(roots) == 1 && roots[0].covers(roots[0]) {
		return r.selfApplied(roots[0].Document, g), true
	}
	return r.folderEntry(folder, g, domain.Place{File: folder}), true
}

// rootEntries finds the Kustomizations that no other one applies. They stand
// in one folder per cluster; what was parked elsewhere reaches less of the
// tree than the cluster's own root does, and is left out.
func (r *Repository) rootEntries() []Entry {
	g := r.fluxGraph(".")
	groups := map[string][]fluxNode{}
	for _, d := range g.roots() {
		dir := path.Dir(d.File)
		groups[dir] = append(groups[dir], d)
	}
	dirs := slices.Sorted(maps.Keys(groups))
	reach := map[string]int{}
	for _, dir := range dirs {
		reach[dir] = g.reach(groups[dir])
	}
	leading := slices.DeleteFunc(slices.Clone(dirs), func(dir string) bool { return reach[dir] == 0 })
	if len(leading) == 0 {
		return r.flatEntry(g, dirs)
	}
	best := map[string]string{}
	for _, dir := range leading {
		name, _ := nameOf(dir)
		if known, ok := best[name]; !ok || reach[dir] > reach[known] {
			best[name] = dir
		}
	}
	var found []Entry
	for _, dir := range slices.Sorted(maps.Values(best)) {
		roots := groups[dir]
		if len(roots) == 1 && roots[0].covers(roots[0]) {
			found = append(found, r.selfApplied(roots[0].Document, g))
			continue
		}
		found = append(found, r.folderEntry(dir, g, roots[0].Place()))
	}
	return found
}

// flatEntry makes the entry of Kustomizations of which none leads to another:
// all are applied together.
func (r *Repository) flatEntry(g fluxGraph, dirs []string) []Entry {
	if len(dirs) == 0 {
		return nil
	}
	folder := dirs[0]
	for _, dir := range dirs[1:] {
		folder = common(folder, dir)
	}
	return []Entry{r.folderEntry(folder, g, g.all[0].Place())}
}

// selfApplied makes the entry of a root Kustomization that applies the folder
// that it stands in: the object itself, with its source.
func (r *Repository) selfApplied(d *manifest.Document, g fluxGraph) Entry {
	if source := r.source(g.source); source != nil {
		return entryOf(d, source, FoundAsRoot)
	}
	e := r.folderEntry(clean(d.Text("spec", "path")), g, d.Place("spec", "path"))
	e.Name = d.Name()
	root := unstructuredOf(d)
	if root.GetNamespace() == "" {
		root.SetNamespace(e.Namespace)
	}
	e.objects[1] = root
	return e
}

// folderEntry makes the entry that `flux bootstrap --path` would.
func (r *Repository) folderEntry(folder string, g fluxGraph, at domain.Place) Entry {
	e := Entry{URL: cmp.Or(r.origin, unknownURL(r.Root)), Ref: r.branchRef(), Path: folder, FoundBy: FoundAsRoot, Place: at}
	if source := r.source(g.source); source != nil {
		e.Kind, e.URL, e.Ref = source.Kind(), source.Text("spec", "url"), refOf(source)
	}
	return e.complete(g.source)
}

// source returns the GitRepository of that name, if the tree holds it.
func (r *Repository) source(name string) *manifest.Document {
	for _, d := range r.tree.of(sourceGroup, "GitRepository") {
		if d.Name() == name {
			return d
		}
	}
	return nil
}

// fluxGraph is which Flux Kustomizations apply which.
type fluxGraph struct {
	all []fluxNode
	// source is the name of the GitRepository that stands for the repository
	// itself: the one that most Kustomizations read.
	source string
}

// fluxNode is a Flux Kustomization with the folder that it applies.
type fluxNode struct {
	*manifest.Document
	path string
}

func (r *Repository) fluxGraph(folder string) fluxGraph {
	uses := map[string]int{}
	var git []*manifest.Document
	for _, d := range r.tree.of(kustomizeGroup, "Kustomization") {
		if within(folder, d.File) && d.Text("spec", "sourceRef", "kind") == "GitRepository" {
			git = append(git, d)
			uses[d.Text("spec", "sourceRef", "name")]++
		}
	}
	g := fluxGraph{}
	for _, name := range slices.Sorted(maps.Keys(uses)) {
		if uses[name] > uses[g.source] {
			g.source = name
		}
	}
	for _, d := range git {
		if d.Text("spec", "sourceRef", "name") == g.source {
			g.all = append(g.all, fluxNode{d, clean(d.Text("spec", "path"))})
		}
	}
	return g
}

// covers reports whether the folder that n applies holds the other.
func (n fluxNode) covers(other fluxNode) bool { return within(n.path, other.File) }

// roots returns the Kustomizations that no other one applies; where all apply
// each other, those that apply themselves.
func (g fluxGraph) roots() []fluxNode {
	var roots, selves []fluxNode
	for _, d := range g.all {
		if d.covers(d) {
			selves = append(selves, d)
		}
		applied := slices.ContainsFunc(g.all, func(other fluxNode) bool {
			return other.Document != d.Document && other.covers(d)
		})
		if !applied {
			roots = append(roots, d)
		}
	}
	if len(roots) == 0 {
		return selves
	}
	return roots
}

// reach returns how many Kustomizations are applied by some, directly or
// through others.
func (g fluxGraph) reach(from []fluxNode) int {
	seen := map[*manifest.Document]bool{}
	queue := slices.Clone(from)
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, other := range g.all {
			if !seen[other.Document] && other.Document != n.Document && n.covers(other) {
				seen[other.Document] = true
				queue = append(queue, other)
			}
		}
	}
	return len(seen)
}
