package gitsource

import (
	"cmp"
	"context"
	"net/url"
	"os"
	"slices"
	"strings"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"hearth/internal/source"
)

// Override serves a folder in place of what repositories point at: of the one
// named, and of every one that has the same URL.
type Override struct {
	// Name is the repository's namespace and name; empty names none.
	Name types.NamespacedName
	// URL is that of the repository; empty fits none. How it is reached and
	// written does not matter: ssh://git@host/a/b.git and https://host/a/b are
	// the same.
	URL string
	// Folder is the working tree, or a folder in one.
	Folder string
}

// override returns the folder that is served for a repository.
func (r *reconciler) override(obj *sourcev1.GitRepository) (folder string, ok bool) {
	key := types.NamespacedName{Namespace: obj.Namespace, Name: obj.Name}
	i := slices.IndexFunc(r.o.Overrides, func(o Override) bool {
		return o.Name == key || o.URL != "" && sameRepository(o.URL, obj.Spec.URL)
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if i < 0 {
		delete(r.overridden, key)
		return "", false
	}
	r.overridden[key] = true
	return r.o.Overrides[i].Folder, true
}

func (r *reconciler) overriddenKeys() []types.NamespacedName {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := make([]types.NamespacedName, 0, len(r.overridden))
	for key := range r.overridden {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b types.NamespacedName) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return keys
}

// snapshot stores a folder as it is now, with what it includes.
func (a *attempt) snapshot(ctx context.Context, folder string) (source.Artifact, error) {
	tree, err := a.tree(folder)
	if err != nil {
		return source.Artifact{}, err
	}
	stored, err := tree.Store(ctx, a.o.Store, ptr.Deref(a.obj.Spec.Ignore, ""))
	if err != nil {
		return stored, archiveFailed(err)
	}
	if len(a.includes) == 0 {
		return stored, nil
	}
	return a.compose(ctx, stored)
}

// compose stores an artifact again with what it includes.
func (a *attempt) compose(ctx context.Context, stored source.Artifact) (source.Artifact, error) {
	dir, err := a.o.Store.WorkFolder("include-")
	if err != nil {
		return stored, archiveFailed(err)
	}
	defer os.RemoveAll(dir)
	from, err := a.o.Store.Dir(stored.Digest)
	if err != nil {
		return stored, archiveFailed(err)
	}
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		return stored, archiveFailed(err)
	}
	if err := a.copyIncludes(ctx, dir); err != nil {
		return stored, err
	}
	return a.store(ctx, dir, stored.Revision)
}

// tree returns the working tree of a folder, opened once.
func (r *reconciler) tree(folder string) (*source.WorkingTree, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if tree := r.trees[folder]; tree != nil {
		return tree, nil
	}
	tree, err := source.OpenWorkingTree(folder)
	if err == nil {
		r.trees[folder] = tree
	}
	return tree, err
}

func sameRepository(a, b string) bool { return repository(a) == repository(b) }

// repository reduces a URL to host and path.
func repository(raw string) string {
	if !strings.Contains(raw, "://") { // git@host:path
		raw = "ssh://" + strings.Replace(raw, ":", "/", 1)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	path := strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), ".git")
	return strings.ToLower(u.Hostname()) + path
}
