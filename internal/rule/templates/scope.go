package templates

import (
	"os"
	"path"
	"slices"
	"strings"

	"hearth/internal/manifest"
	"hearth/internal/repo"
	"hearth/internal/rule"
)

// isTemplate reports whether a file is a Jinja2 template by its name.
func isTemplate(name string) bool {
	return slices.Contains([]string{".j2", ".jinja", ".jinja2"}, path.Ext(name))
}

// within reports whether a file stands in a folder, or below it.
func within(folder, name string) bool {
	return folder == "." || folder == "" || strings.HasPrefix(name, folder+"/")
}

// elsewhere reports whether a file belongs to a cluster that is not judged.
func elsewhere(p *rule.Pass, name string) bool {
	owner := ""
	judged := true
	for _, c := range p.Repository.Clusters {
		if c.Path != "." && within(c.Path, name) && len(c.Path) > len(owner) {
			owner = c.Path
			judged = slices.ContainsFunc(p.Clusters, func(chosen *rule.Cluster) bool { return chosen.Cluster == c })
		}
	}
	return !judged
}

// clusterFolders returns where the judged clusters keep what Flux applies:
// their own folders, or where the whole repository is one's, the folders that
// its Kustomizations build.
func clusterFolders(p *rule.Pass) []string {
	var folders []string
	for _, c := range p.Clusters {
		if c.Path != "." && c.Path != "" {
			folders = append(folders, c.Path)
		}
		for _, k := range c.State.Kustomizations {
			if k.Path != "" && k.Path != "." {
				folders = append(folders, k.Path)
			}
		}
	}
	return folders
}

// isKustomization reports whether kustomize reads a document as its own.
func isKustomization(d *manifest.Document) bool {
	switch path.Base(d.File) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		group := d.Group()
		return group == "" || group == "kustomize.config.k8s.io"
	}
	return false
}

// reader reads files of the repository.
type reader struct{ root *os.Root }

func open(r *repo.Repository) (reader, error) {
	root, err := os.OpenRoot(r.Root)
	return reader{root}, err
}

func (r reader) close() { _ = r.root.Close() }

// text returns a file's content; "" where it cannot be read, which is told
// elsewhere.
func (r reader) text(name string) string {
	data, err := manifest.Read(r.root, name)
	if err != nil {
		return ""
	}
	return string(data)
}
