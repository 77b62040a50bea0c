package storage

import (
	"fmt"
	"maps"
	"slices"

	"hearth/internal/graph"
	"hearth/internal/rule"
	"hearth/internal/spelling"
)

// checkDeclarations reports storage classes that .hearth.yaml names and no
// cluster has. Where only some clusters are judged it says nothing, since the
// others may have them.
func checkDeclarations(p *rule.Pass, all []*classes) {
	if !p.Config.Declared("storageClasses") || len(all) < len(p.Repository.Clusters) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(p.Config.StorageClasses)) {
		var have []string
		if slices.ContainsFunc(all, func(s *classes) bool { have = append(have, s.provided()...); return s.mayHave(name) }) {
			continue
		}
		finding := rule.Finding{
			Severity: rule.Warning, Place: p.Config.Place("storageClasses", name), Text: name,
			Message: fmt.Sprintf("no cluster has a storage class %s: what is declared of it holds for nothing", name),
		}
		if meant, ok := spelling.Nearest(name, have); ok {
			finding.Fix = "write " + meant
		}
		p.Report(finding)
	}
}

// mayHave reports whether a class is there, or may be. In a tree that makes
// none it may be any.
func (s *classes) mayHave(name string) bool {
	ref := graph.Reference{Group: storageGroup, Kind: "StorageClass", Name: name}
	_, known := s.Graph.Provider(ref.Group, ref.Kind, "", ref.Name)
	_, doubt := s.Graph.DoubtAbout(ref.Kind, "", ref.Name)
	return known || doubt || len(s.provided()) == 0
}
