package layout

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"hearth/internal/manifest"
	"hearth/internal/render/desired"
	"hearth/internal/render/kustomize"
	"hearth/internal/repo"
	"hearth/internal/rule"
)

// tree is what a repository's folders hold.
type tree struct {
	root    string
	files   []string
	known   map[string]bool // files and folders
	folders []string        // ordered by path
	// kustomizations are the kustomization files by their folder.
	kustomizations map[string]*manifest.Document
	documents      []*manifest.Document
	in             map[string][]*manifest.Document // by file
}

func newTree(r *repo.Repository) *tree {
	t := &tree{
		root: r.Root, known: map[string]bool{".": true}, documents: r.Documents(),
		kustomizations: map[string]*manifest.Document{}, in: map[string][]*manifest.Document{},
	}
	for _, f := range r.Files() {
		t.files = append(t.files, f.Path)
		for name := f.Path; !t.known[name]; name = path.Dir(name) {
			t.known[name] = true
			if name != f.Path {
				t.folders = append(t.folders, name)
			}
		}
	}
	slices.Sort(t.folders)
	for _, d := range t.documents {
		t.in[d.File] = append(t.in[d.File], d)
		if isKustomization(d.File) {
			t.kustomizations[path.Dir(d.File)] = d
		}
	}
	return t
}

// kustomizationNames are those of the files that kustomize reads in a folder.
var kustomizationNames = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

func isKustomization(file string) bool { return slices.Contains(kustomizationNames, path.Base(file)) }

// isBuilt reports whether a folder has a kustomization, readable or not.
func (t *tree) isBuilt(folder string) bool {
	return slices.ContainsFunc(kustomizationNames, func(name string) bool { return !t.missing(path.Join(folder, name)) })
}

// builtFolder returns the folder of this repository that a Kustomization
// builds, whether the build succeeds or not.
func builtFolder(k *desired.Kustomization) (folder string, ok bool) {
	if k.Foreign || k.Err != nil && k.Path == "" || errors.Is(k.Err, kustomize.ErrPathNotFound) {
		return "", false
	}
	return cmp.Or(k.Path, "."), true
}

// isFolder reports whether a path is that of a folder with files.
func (t *tree) isFolder(name string) bool {
	_, found := slices.BinarySearch(t.folders, name)
	return found || name == "."
}

// missing reports whether nothing is at a path: no file that Git has, and none
// that Git ignores either.
func (t *tree) missing(name string) bool {
	if t.known[name] {
		return false
	}
	root, err := os.OpenRoot(t.root)
	if err != nil {
		return false
	}
	defer root.Close()
	_, err = root.Lstat(name)
	return errors.Is(err, fs.ErrNotExist)
}

// siblingLike returns the file or folder beside a missing one whose name
// differs only in its case, ending or hyphens; "" where there is none.
func (t *tree) siblingLike(name string) string {
	return nameLike(name, t.files) + nameLike(name, t.folders)
}

func nameLike(name string, among []string) string {
	for _, other := range among {
		if path.Dir(other) == path.Dir(name) && bare(other) == bare(name) {
			return other
		}
	}
	return ""
}

// bare is what of a name is not spelling.
func bare(name string) string {
	name = strings.ToLower(path.Base(name))
	name = strings.TrimSuffix(name, path.Ext(name))
	return strings.NewReplacer("-", "", "_", "", ".", "").Replace(name)
}

// within reports whether a file or folder is folder itself or stands in it.
func within(folder, name string) bool {
	return folder == "." || folder == name || strings.HasPrefix(name, folder+"/")
}

// clusterFolders are the folders that belong to a cluster. Where the whole
// repository is one cluster they are those in which something is built.
func clusterFolders(c *rule.Cluster) []string {
	if c.Path != "." {
		return []string{c.Path}
	}
	var folders []string
	for _, k := range c.State.Kustomizations {
		top, _, _ := strings.Cut(k.Path, "/")
		if top != "" && !slices.Contains(folders, top) {
			folders = append(folders, top)
		}
	}
	return folders
}

// isTemplate reports whether a text is yet to be filled in.
func isTemplate(text string) bool {
	for _, mark := range []string{"{{", "{%", "#{", "<<", "${"} {
		if strings.Contains(text, mark) {
			return true
		}
	}
	return false
}
