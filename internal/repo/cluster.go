package repo

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Cluster is one cluster of a repository.
type Cluster struct {
	Name string
	// Path is the cluster's folder; "." where the repository is one cluster.
	Path      string
	Entry     Entry
	Bootstrap Bootstrap
	// Config is what .hearth.yaml says about the cluster.
	Config ClusterConfig
}

// findClusters sets the clusters and their entries: those that .hearth.yaml
// declares, or else those that the tree shows, each way of finding them asked
// in turn about clusters that no earlier one has found.
func (r *Repository) findClusters() error {
	found := r.discover()
	if len(r.Config.Clusters) == 0 {
		r.Clusters = named(found)
	} else if err := r.declaredClusters(found); err != nil {
		return err
	}
	for _, c := range r.Clusters {
		c.Config = r.Config.Of(c.Name)
	}
	if name := r.Config.DefaultCluster; name != "" && !slices.ContainsFunc(r.Clusters, func(c *Cluster) bool { return c.Name == name }) {
		return configProblem(r.Config.line("defaultCluster"), fmt.Sprintf("there is no cluster %q to be the default", name))
	}
	slices.SortFunc(r.Clusters, func(a, b *Cluster) int { return strings.Compare(a.Name, b.Name) })
	if len(r.Clusters) == 0 {
		return r.noCluster()
	}
	return nil
}

// NoClusterError says that a folder is no homelab repository.
type NoClusterError struct{ message string }

// Error says what was looked for.
func (e *NoClusterError) Error() string { return e.message }

func (r *Repository) noCluster() error {
	if len(r.tree.files) == 0 {
		return &NoClusterError{fmt.Sprintf("%s is empty: give the folder of a homelab repository", r.Root)}
	}
	hint := ""
	if len(r.Problems) > 0 {
		hint = fmt.Sprintf(" (%s)", r.Problems[0])
	}
	return &NoClusterError{fmt.Sprintf("%s holds no cluster%s: looked for a %s with clusters, a HelmRelease of the chart flux-instance, a FluxInstance, a gotk-sync.yaml, a folder clusters/NAME with Flux Kustomizations, and Flux Kustomizations that no other one applies",
		r.Root, hint, ConfigFile)}
}

// declaredClusters makes the clusters that .hearth.yaml declares. An entry
// that it leaves out is the one found in the cluster's folder.
func (r *Repository) declaredClusters(found []Entry) error {
	for _, name := range slices.Sorted(maps.Keys(r.Config.Clusters)) {
		declared := r.Config.Clusters[name]
		c := &Cluster{Name: name, Path: clean(declared.Path)}
		at := []string{"clusters", name}
		line := r.Config.line(at...)
		if declared.Path != "" && !r.tree.has(c.Path) {
			return configProblem(r.Config.line(append(at, "path")...), fmt.Sprintf("cluster %s: the folder %s does not exist", name, c.Path))
		}
		switch {
		case declared.Entry != nil:
			c.Entry = r.declaredEntry(*declared.Entry, c.Path, line)
			if declared.Path == "" {
				c.Path = folderOf(name, c.Entry.Path)
			}
			if !r.tree.has(c.Entry.Path) {
				return configProblem(line, fmt.Sprintf("cluster %s: the entry's folder %s does not exist", name, c.Entry.Path))
			}
		default:
			entry, ok := entryWithin(found, c.Path)
			if !ok {
				entry, ok = r.rootEntry(c.Path)
			}
			if !ok {
				return configProblem(line, fmt.Sprintf("cluster %s: nothing in %s tells where Flux starts: give clusters.%s.entry.path", name, c.Path, name))
			}
			c.Entry = entry
		}
		r.Clusters = append(r.Clusters, c)
	}
	return nil
}

// folderOf returns the folder of a cluster that only its entry tells: the one
// on the way that bears its name, else the entry's.
func folderOf(name, entry string) string {
	for dir := entry; dir != "."; dir = path.Dir(dir) {
		if path.Base(dir) == name {
			return dir
		}
	}
	return entry
}

// entryWithin returns the entry that reads from a folder, or is declared in
// it. What the roots of the whole repository tell is no entry of one folder.
func entryWithin(found []Entry, folder string) (Entry, bool) {
	found = slices.DeleteFunc(slices.Clone(found), func(e Entry) bool { return e.FoundBy == FoundAsRoot })
	for _, e := range found {
		if within(folder, e.Path) {
			return e, true
		}
	}
	for _, e := range found {
		if within(folder, e.Place.File) {
			return e, true
		}
	}
	return Entry{}, false
}

// named makes a cluster of each entry, named after its folder.
func named(entries []Entry) []*Cluster {
	var clusters []*Cluster
	taken := map[string]bool{}
	for _, e := range entries {
		name, folder := nameOf(e.Path)
		if taken[name] {
			name = strings.ReplaceAll(e.Path, "/", "-")
		}
		for base, n := name, 2; taken[name]; n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		taken[name] = true
		clusters = append(clusters, &Cluster{Name: name, Path: folder, Entry: e})
	}
	return clusters
}

// DefaultCluster is the name of a cluster whose folder has none.
const DefaultCluster = "default"

// roles are names of folders that say what is in them, not whose it is.
var roles = map[string]bool{
	"k8s": true, "kubernetes": true, "cluster": true, "clusters": true, "gitops": true, "deploy": true,
	"deployments": true, "manifests": true, "flux": true, "flux-system": true, "fluxcd": true, "apps": true,
	"applications": true, "config": true, "base": true, "bootstrap": true, "infra": true, "infrastructure": true,
	"entrypoint": true, "sync": true, "system": true, "kustomizations": true, "overlays": true, "environments": true,
	"envs": true, "src": true, "repositories": true,
}

// nameOf returns the cluster's name and folder for the path of its entry:
// kubernetes/main/cluster/config is main in kubernetes/main, and
// kubernetes/flux/cluster has no name of its own and lives in kubernetes.
func nameOf(entry string) (name, folder string) {
	segments := strings.Split(entry, "/")
	for i, s := range segments {
		if s != "." && !roles[s] {
			return s, path.Join(segments[:i+1]...)
		}
	}
	switch segments[0] {
	case "k8s", "kubernetes", "cluster", "clusters", "gitops", "deploy":
		return DefaultCluster, segments[0]
	}
	return DefaultCluster, "."
}
