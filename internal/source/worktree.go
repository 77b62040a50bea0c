package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// WorkingTree is a folder of manifests as it lies on disk, in Git or not. What
// it stores is what Git would have if everything were committed now: files
// that .gitignore excludes are left out unless Git tracks them. Its methods
// may be called concurrently.
type WorkingTree struct {
	root string

	mu   sync.Mutex
	head committed
}

// OpenWorkingTree opens a folder, which need not be the root of its repository.
func OpenWorkingTree(root string) (*WorkingTree, error) {
	abs, err := filepath.Abs(root)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return nil, fmt.Errorf("open the working tree %s: %w", root, err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return nil, fmt.Errorf("open the working tree %s: %w", root, err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open the working tree %s: it is no folder", root)
	}
	return &WorkingTree{root: abs}, nil
}

// Root returns the folder, as an absolute path without symbolic links.
func (w *WorkingTree) Root() string { return w.root }

// Ignore returns which files are left out of what Store stores. spec is the
// ignore field of the source.
func (w *WorkingTree) Ignore(spec string) (func(rel string, isDir bool) bool, error) {
	rules, err := readRules(w.root, spec, openGit(w.root).rules())
	if err != nil {
		return nil, err
	}
	return rules.ignore, nil
}

// Store stores the tree as it is now. Where it equals what is committed the
// revision is Flux's, branch@sha1:commit; otherwise it names branch, commit
// and content: branch-commit-dirty@sha256:content, or worktree@sha256:content
// outside Git.
func (w *WorkingTree) Store(ctx context.Context, s *Store, spec string) (Artifact, error) {
	git := openGit(w.root)
	rules, err := readRules(w.root, spec, git.rules())
	if err != nil {
		return Artifact{}, err
	}
	seen := map[string]blob{}
	return s.PutDir(ctx, w.root, DirOptions{
		Ignore: rules.ignore,
		Visit: func(rel string, executable bool, content []byte) {
			seen[rel] = blob{plumbing.ComputeHash(plumbing.BlobObject, content), executable}
		},
		Revision: func(digest string) string {
			return w.revision(git, rules, seen, digest)
		},
	})
}

func (w *WorkingTree) revision(git *gitView, rules *rules, seen map[string]blob, digest string) string {
	branch, commit, ok := git.head()
	if !ok {
		return "worktree@" + digest
	}
	if w.committedAt(git, commit).equals(seen, rules) {
		if branch == "" {
			return "sha1:" + commit
		}
		return branch + "@sha1:" + commit
	}
	if branch == "" {
		branch = "HEAD"
	}
	return strings.ReplaceAll(branch, "@", "-") + "-" + commit[:7] + "-dirty@" + digest
}

// committedAt returns what a commit holds, read from Git once.
func (w *WorkingTree) committedAt(git *gitView, commit string) committed {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.head.commit != commit {
		w.head = git.committed(commit)
	}
	return w.head
}
