package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

// Options say how a repository is read. The zero value is fine.
type Options struct {
	// Limits bound the walk through the repository.
	Limits manifest.Limits
}

// Problem is what is wrong with one file.
type Problem = manifest.Problem

// Repository is a homelab repository as it stood when it was opened. It is
// read-only; all methods may be called concurrently.
type Repository struct {
	Root     string // absolute
	Revision Revision
	Config   Config
	Clusters []*Cluster // ordered by name
	// Problems tell what could not be read, ordered by file and line.
	Problems []*Problem

	inside string // folder below Root that was opened; "." for the root itself
	origin string // URL of the Git remote, "" where there is none
	tree   *tree
}

// Open reads the repository that a folder belongs to: the nearest folder
// upwards with a .hearth.yaml or a .git, else the folder itself. The error is
// one sentence; a repository without a cluster is an error, too, that says
// what was looked for.
func Open(ctx context.Context, path string, o Options) (*Repository, error) {
	folder, err := openFolder(path)
	if err != nil {
		return nil, err
	}
	r := &Repository{Root: findRoot(folder)}
	if r.inside, err = filepath.Rel(r.Root, folder); err != nil {
		return nil, fmt.Errorf("opening the repository %s: %w", path, err)
	}
	r.inside = filepath.ToSlash(r.inside)

	root, err := os.OpenRoot(r.Root)
	if err != nil {
		return nil, fmt.Errorf("opening the repository %s: %w", r.Root, err)
	}
	defer root.Close()
	if err := r.readFiles(ctx, root, o.Limits); err != nil {
		return nil, err
	}
	if r.Revision, r.origin, err = readRevision(ctx, r.Root, r.tree.files); err != nil {
		r.Problems = append(r.Problems, &Problem{Place: domain.Place{File: ".git"}, Message: "the Git revision cannot be read: " + err.Error()})
	}
	if err := r.understand(ctx, root); err != nil {
		return nil, err
	}
	return r, nil
}

// readFiles reads the configuration and the manifests.
func (r *Repository) readFiles(ctx context.Context, root *os.Root, limits manifest.Limits) (err error) {
	if r.Config, err = readConfig(root); err != nil {
		return err
	}
	if r.tree, err = readTree(ctx, root, limits); err != nil {
		return fmt.Errorf("reading the repository %s: %w", r.Root, err)
	}
	r.Problems = append(r.Problems, r.tree.problems...)
	return nil
}

// understand finds the clusters in what was read.
func (r *Repository) understand(ctx context.Context, root *os.Root) (err error) {
	if err := r.findClusters(); err != nil {
		return err
	}
	for _, c := range r.Clusters {
		if c.Bootstrap, err = r.readBootstrap(ctx, root, c); err != nil {
			return fmt.Errorf("reading the bootstrap of cluster %s: %w", c.Name, err)
		}
	}
	sortProblems(r.Problems)
	return ctx.Err()
}

// Cluster returns the cluster of that name. Without a name it is the only
// cluster, the one whose folder was opened, or the configured default;
// otherwise the error names the clusters to choose from.
func (r *Repository) Cluster(name string) (*Cluster, error) {
	var names []string
	for _, c := range r.Clusters {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	if name != "" {
		return nil, fmt.Errorf("%s has no cluster %q: choose one of %s with --cluster", r.Root, name, strings.Join(names, ", "))
	}
	if len(r.Clusters) == 1 {
		return r.Clusters[0], nil
	}
	for _, c := range r.Clusters {
		if c.Path != "." && within(c.Path, r.inside) {
			return c, nil
		}
	}
	if name := r.Config.DefaultCluster; name != "" {
		return r.Cluster(name)
	}
	return nil, fmt.Errorf("%s has the clusters %s: choose one with --cluster", r.Root, strings.Join(names, ", "))
}

// openFolder returns the absolute path of a folder, symbolic links resolved.
func openFolder(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s does not exist: give the folder of a homelab repository", path)
	case err != nil:
		return "", fmt.Errorf("opening the repository: %w", err)
	case !info.IsDir():
		return "", fmt.Errorf("%s is a file: give the folder of a homelab repository", path)
	}
	folder, err := filepath.Abs(path)
	if err == nil {
		folder, err = filepath.EvalSymlinks(folder)
	}
	if err != nil {
		return "", fmt.Errorf("opening the repository %s: %w", path, err)
	}
	return folder, nil
}

// RootOf returns the root of the repository that a folder belongs to, as Open
// finds it.
func RootOf(path string) (string, error) {
	folder, err := openFolder(path)
	if err != nil {
		return "", err
	}
	return findRoot(folder), nil
}

// findRoot returns the nearest folder upwards that is marked as a root.
func findRoot(folder string) string {
	for dir := folder; ; dir = filepath.Dir(dir) {
		for _, mark := range []string{ConfigFile, ".git"} {
			if _, err := os.Lstat(filepath.Join(dir, mark)); err == nil {
				return dir
			}
		}
		if dir == filepath.Dir(dir) {
			return folder
		}
	}
}

func sortProblems(problems []*Problem) {
	slices.SortStableFunc(problems, func(a, b *Problem) int {
		if c := strings.Compare(a.Place.File, b.Place.File); c != 0 {
			return c
		}
		return a.Place.Line - b.Place.Line
	})
}
