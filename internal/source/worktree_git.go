package source

import (
	"errors"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// gitView is a folder as its Git repository sees it. Its zero value is a
// folder outside Git, or in a repository of a format that cannot be read: the
// tree is then known by its content alone.
type gitView struct {
	repo   *git.Repository
	prefix string // of the folder in the repository, "" or ending in a slash
}

func openGit(root string) *gitView {
	repo, err := git.PlainOpenWithOptions(root, &git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if err != nil {
		return &gitView{}
	}
	worktree, err := repo.Worktree()
	if err != nil {
		return &gitView{}
	}
	top, err := filepath.EvalSymlinks(worktree.Filesystem.Root())
	if err != nil {
		return &gitView{}
	}
	rel, err := filepath.Rel(top, root)
	if err != nil || !filepath.IsLocal(rel) {
		return &gitView{}
	}
	view := &gitView{repo: repo}
	if rel != "." {
		view.prefix = filepath.ToSlash(rel) + "/"
	}
	return view
}

// head returns the branch and commit that are checked out. branch is empty
// where none is; ok is false before the first commit and outside Git.
func (g *gitView) head() (branch, commit string, ok bool) {
	if g.repo == nil {
		return "", "", false
	}
	ref, err := g.repo.Head()
	if err != nil {
		return "", "", false
	}
	if ref.Name().IsBranch() {
		branch = ref.Name().Short()
	}
	return branch, ref.Hash().String(), true
}

// rules returns Git's part in what is left out.
func (g *gitView) rules() *gitRules {
	tracked := map[string]bool{}
	if g.repo == nil {
		return &gitRules{tracked: tracked}
	}
	index, err := g.repo.Storer.Index()
	if err != nil {
		return &gitRules{tracked: tracked}
	}
	for _, entry := range index.Entries {
		rel, below := strings.CutPrefix(entry.Name, g.prefix)
		for below && rel != "." && !tracked[rel] {
			tracked[rel] = true
			rel = path.Dir(rel)
		}
	}
	return &gitRules{tracked: tracked}
}

// blob is a file's content, and whether it may be executed.
type blob struct {
	hash       plumbing.Hash
	executable bool
}

// committed is what a commit holds of the folder. files is nil where the
// commit could not be read.
type committed struct {
	commit string
	files  map[string]blob
}

func (g *gitView) committed(commit string) committed {
	c := committed{commit: commit}
	found, err := g.repo.CommitObject(plumbing.NewHash(commit))
	if err != nil {
		return c
	}
	tree, err := found.Tree()
	if err == nil && g.prefix != "" {
		tree, err = tree.Tree(strings.TrimSuffix(g.prefix, "/"))
	}
	if err != nil {
		return c
	}
	files := map[string]blob{}
	walker := object.NewTreeWalker(tree, true, nil)
	defer walker.Close()
	for {
		name, entry, err := walker.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return c
		}
		switch entry.Mode {
		case filemode.Regular, filemode.Deprecated:
			files[name] = blob{entry.Hash, false}
		case filemode.Executable:
			files[name] = blob{entry.Hash, true}
		}
	}
	c.files = files
	return c
}

// equals reports whether the files seen are those committed, less the ignored.
func (c committed) equals(seen map[string]blob, rules *rules) bool {
	if c.files == nil {
		return false
	}
	same := 0
	for name, file := range c.files {
		if seen[name] == file {
			same++
			continue
		}
		if _, there := seen[name]; there || !ignoredWithParents(rules, name) {
			return false
		}
	}
	return same == len(seen)
}

func ignoredWithParents(rules *rules, name string) bool {
	if rules.ignore(name, false) {
		return true
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if rules.ignore(dir, true) {
			return true
		}
	}
	return false
}
