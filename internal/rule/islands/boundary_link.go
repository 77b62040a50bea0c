package islands

import (
	"path"

	"hearth/internal/domain"
)

// links follows the symbolic links of the cluster's folder. A link that leads
// out of the repository, or nowhere, is a problem of the tree itself.
func (b *boundary) links() {
	for _, f := range b.Repository.Files() {
		if !f.Link || b.Repository.Owner(f.Path) != b.cluster.Cluster {
			continue
		}
		if other := b.foreign(path.Join(path.Dir(f.Path), f.Target)); other != nil {
			b.crossing(domain.Place{File: f.Path}, "", "the symbolic link", other)
		}
	}
}
