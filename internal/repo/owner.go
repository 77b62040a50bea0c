package repo

// Owner returns the cluster whose folder a file or folder stands in. It is nil
// where it stands in none, and where several clusters have the same folder. A
// cluster that is the whole repository owns nothing, since others may share it.
func (r *Repository) Owner(name string) *Cluster {
	var owner *Cluster
	for _, c := range r.Clusters {
		if c.Path == "." || !within(c.Path, name) {
			continue
		}
		switch {
		case owner == nil || len(c.Path) > len(owner.Path):
			owner = c
		case c.Path == owner.Path:
			return nil
		}
	}
	return owner
}
