package islands

import (
	"os"
	"path"
	"path/filepath"

	"hearth/internal/domain"
)

// links follows the symbolic links of the cluster's folder. A link that leads
// out of the repository, or nowhere, is a problem of the tree itself.
func (b *boundary) links() {
	var root *os.Root
	for _, f := range b.Repository.Files() {
		if !f.Link || b.Repository.Owner(f.Path) != b.cluster.Cluster {
			continue
		}
		if root == nil {
			var err error
			if root, err = os.OpenRoot(b.Repository.Root); err != nil {
				b.Note("the repository's folder cannot be opened, so that its symbolic links are not judged")
				return
			}
			defer root.Close()
		}
		target, err := root.Readlink(f.Path)
		if err != nil {
			continue // it was there when the tree was listed
		}
		if other := b.foreign(path.Join(path.Dir(f.Path), filepath.ToSlash(target))); other != nil {
			b.crossing(domain.Place{File: f.Path}, "", "the symbolic link", other)
		}
	}
}
