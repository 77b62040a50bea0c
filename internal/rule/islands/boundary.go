package islands

import (
	"fmt"
	"path"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/repo"
	"hearth/internal/rule"
)

var islandBoundary = &rule.Rule{
	Name:     "island-boundary",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "No path, link or URL of one cluster leads into another cluster's folder",
	Why: "A cluster that reads another one's folder changes whenever that one does. What was meant to be tried on staging " +
		"reaches production with the same commit, and taking staging down breaks what production was built from.",
	Remedy: "Copy what the cluster needs into its own folder and change it there. What is meant to be the same everywhere " +
		"can stand in a folder outside of all clusters.",
	Section: "Don't: Share Code Between Clusters",
	Bad: "# kubernetes/staging/apps/kustomization.yaml\n" +
		"resources:\n" +
		"  - ../../main/apps/media\n",
	Good: "# kubernetes/staging/apps/kustomization.yaml\n" +
		"resources:\n" +
		"  - media\n",
	Check: func(p *rule.Pass) {
		if len(p.Repository.Clusters) < 2 {
			return
		}
		for _, c := range p.Clusters {
			b := &boundary{Pass: p, cluster: c}
			b.links()
			b.flux()
			b.bootstrap()
			b.documents()
		}
	},
}

// boundary looks for what leads from one cluster's folder into another one's.
type boundary struct {
	*rule.Pass
	cluster *rule.Cluster
}

// foreign returns the other cluster whose folder a path is in, or nil.
func (b *boundary) foreign(name string) *repo.Cluster {
	owner := b.Repository.Owner(path.Clean(name))
	if owner == b.cluster.Cluster {
		return nil
	}
	return owner
}

// concerns reports whether what a file says is the cluster's: the file stands
// in its folder, or in nobody's and is read for it.
func (b *boundary) concerns(file string) bool {
	owner := b.Repository.Owner(file)
	return owner == b.cluster.Cluster || owner == nil && b.cluster.State.Reached(file)
}

// crossing reports what leads into another cluster's folder.
func (b *boundary) crossing(at domain.Place, text, what string, other *repo.Cluster) {
	b.Report(rule.Finding{
		Place: at, Text: text, Sensitive: strings.Contains(text, "@"), // a URL may hold a password
		Message: fmt.Sprintf("%s leads from cluster %s into the folder of cluster %s, so that a change there changes both",
			what, b.cluster.Name, other.Name),
		Fix: fmt.Sprintf("copy what %s needs into %s, or share it from a folder outside of all clusters", b.cluster.Name, b.cluster.Path),
	})
}
