package repo

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/index"

	"hearth/internal/manifest"
)

// Revision is the state of Git that a repository stands at. The zero value is
// a folder without Git, or without a commit.
type Revision struct {
	SHA    string // of HEAD, in full
	Branch string // "" where HEAD is detached
	// Dirty says that the working tree differs from HEAD.
	Dirty bool
}

// String returns the short hash, with "-dirty" where the tree differs from it.
func (r Revision) String() string {
	if r.SHA == "" {
		return ""
	}
	short := r.SHA[:min(len(r.SHA), 7)]
	if r.Dirty {
		return short + "-dirty"
	}
	return short
}

// readRevision reads HEAD and compares the tree with it. Files are those of
// the tree that Git does not ignore.
func readRevision(ctx context.Context, root string, files []manifest.File) (Revision, string, error) {
	repository, err := git.PlainOpenWithOptions(root, &git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if errors.Is(err, git.ErrRepositoryNotExists) {
		return Revision{}, "", nil
	}
	if err != nil {
		return Revision{}, "", err
	}
	origin := originURL(repository)
	head, err := repository.Head()
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return Revision{}, origin, nil
	}
	if err != nil {
		return Revision{}, origin, err
	}
	r := Revision{SHA: head.Hash().String()}
	if head.Name().IsBranch() {
		r.Branch = head.Name().Short()
	}
	r.Dirty, err = isDirty(ctx, repository, head.Hash(), root, files)
	return r, origin, err
}

// originURL returns the remote's URL in the form that Flux takes, without
// credentials.
func originURL(repository *git.Repository) string {
	remote, err := repository.Remote("origin")
	if err != nil || len(remote.Config().URLs) == 0 {
		return ""
	}
	raw := remote.Config().URLs[0]
	if !strings.Contains(raw, "://") {
		host, path, ok := strings.Cut(raw, ":")
		if !ok {
			return ""
		}
		raw = "ssh://" + host + "/" + strings.TrimPrefix(path, "/")
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	if u.Scheme == "ssh" && u.User != nil {
		u.User = url.User(u.User.Username())
	} else {
		u.User = nil
	}
	return u.String()
}

// isDirty compares the tree with the index, and the index with HEAD. A file
// whose size and time are the index's is taken as unchanged, as Git does;
// only others are read.
func isDirty(ctx context.Context, repository *git.Repository, head plumbing.Hash, root string, files []manifest.File) (bool, error) {
	worktree, err := repository.Worktree()
	if err != nil {
		return false, nil // a bare repository has no tree that could differ
	}
	top := worktree.Filesystem.Root()
	idx, err := repository.Storer.Index()
	if err != nil {
		return false, err
	}
	if staged, err := isStaged(repository, head, idx); staged || err != nil {
		return staged, err
	}
	tracked := make(map[string]bool, len(idx.Entries))
	for _, e := range idx.Entries {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		tracked[e.Name] = true
		if e.SkipWorktree || e.Mode == filemode.Submodule || !filepath.IsLocal(filepath.FromSlash(e.Name)) {
			continue
		}
		if changed(filepath.Join(top, filepath.FromSlash(e.Name)), e) {
			return true, nil
		}
	}
	prefix, err := filepath.Rel(top, root)
	if err != nil {
		return false, err
	}
	for _, f := range files {
		if !tracked[filepath.ToSlash(filepath.Join(prefix, f.Path))] {
			return true, nil
		}
	}
	return false, nil
}

// isStaged reports whether the index differs from HEAD.
func isStaged(repository *git.Repository, head plumbing.Hash, idx *index.Index) (bool, error) {
	commit, err := repository.CommitObject(head)
	if err != nil {
		return false, err
	}
	if idx.Cache != nil && len(idx.Cache.Entries) > 0 {
		if top := idx.Cache.Entries[0]; top.Path == "" && top.Entries >= 0 {
			return top.Hash != commit.TreeHash, nil
		}
	}
	tree, err := commit.Tree()
	if err != nil {
		return false, err
	}
	for _, e := range idx.Entries {
		committed, err := tree.FindEntry(e.Name)
		if err != nil || committed.Hash != e.Hash || committed.Mode != e.Mode {
			return true, nil
		}
	}
	committed := 0
	files := tree.Files()
	defer files.Close()
	for {
		if _, err := files.Next(); err != nil {
			break
		}
		committed++
	}
	plain := 0
	for _, e := range idx.Entries {
		if e.Mode != filemode.Submodule {
			plain++
		}
	}
	return committed != plain, nil
}

func changed(name string, e *index.Entry) bool {
	info, err := os.Lstat(name)
	if err != nil {
		return true
	}
	if info.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(name)
		return err != nil || plumbing.ComputeHash(plumbing.BlobObject, []byte(target)) != e.Hash
	}
	if uint32(info.Size()) != e.Size || !info.Mode().IsRegular() {
		return true
	}
	if info.ModTime().Equal(e.ModifiedAt) {
		return false
	}
	data, err := os.ReadFile(name)
	return err != nil || plumbing.ComputeHash(plumbing.BlobObject, data) != e.Hash
}
