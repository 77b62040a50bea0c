package secrets

import (
	"path"
	"slices"

	"hearth/internal/manifest"
	"hearth/internal/repo"
	"hearth/internal/rule"
)

// scope is which files of a repository are judged: those of the clusters
// under judgement and those of none, but for the vaults that stand in for
// real ones in rehearsals, and charts, whose values are examples.
type scope struct {
	*rule.Pass
	vaults map[string]bool
	charts map[string]bool
}

func newScope(p *rule.Pass) scope {
	s := scope{Pass: p, vaults: map[string]bool{path.Clean(p.Config.Vault): true}, charts: map[string]bool{}}
	for _, c := range p.Repository.Clusters {
		s.vaults[path.Clean(c.Config.Vault)] = true
	}
	for _, f := range p.Repository.Files() {
		if path.Base(f.Path) == "Chart.yaml" {
			s.charts[path.Dir(f.Path)] = true
		}
	}
	return s
}

func (s scope) judges(file string) bool {
	if s.vaults[file] || s.inChart(file) {
		return false
	}
	owner := s.Repository.Owner(file)
	return owner == nil || slices.ContainsFunc(s.Clusters, func(c *rule.Cluster) bool { return sameCluster(c, owner) })
}

func sameCluster(c *rule.Cluster, other *repo.Cluster) bool { return c.Cluster == other }

func (s scope) inChart(file string) bool {
	if len(s.charts) == 0 {
		return false
	}
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if s.charts[dir] {
			return true
		}
		if dir == "." || dir == "/" {
			return false
		}
	}
}

// documents returns the objects of the files that are judged.
func (s scope) documents() []*manifest.Document {
	judged := map[string]bool{}
	var list []*manifest.Document
	for _, doc := range s.Repository.Documents() {
		judges, known := judged[doc.File]
		if !known {
			judges = s.judges(doc.File)
			judged[doc.File] = judges
		}
		if judges {
			list = append(list, doc)
		}
	}
	return list
}
