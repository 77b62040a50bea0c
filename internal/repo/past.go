package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"hearth/internal/manifest"
)

// Bounds of a past tree.
const (
	maxPastFiles = 50_000
	maxPastBytes = 1 << 30
	maxLink      = 4096 // of a symbolic link's target, in bytes
)

// RevisionError says that there is no tree of a revision to be had.
type RevisionError struct {
	Revision string
	Reason   string
}

// Error names the revision.
func (e *RevisionError) Error() string {
	return fmt.Sprintf("the revision %q cannot be compared with: %s", e.Revision, e.Reason)
}

// Past is a repository as it once stood.
type Past struct {
	*Repository
	dir string
}

// Close removes the files of the past.
func (p *Past) Close() error { return os.RemoveAll(p.dir) }

// At opens the repository as it stood at a revision of its Git history: a
// branch, a tag, a hash, or what git itself would understand, such as HEAD~2.
// Its files are written to a temporary folder. A *RevisionError tells that
// there is no such revision, and any other error is that of [Open].
func (r *Repository) At(ctx context.Context, revision string) (*Past, error) {
	commit, prefix, err := r.commit(revision)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "hearth-past-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the tree of %s: %w", revision, err)
	}
	past := &Past{dir: dir}
	// A repository's name is that of its folder.
	folder := filepath.Join(dir, filepath.Base(r.Root))
	if err := writeTree(ctx, commit, prefix, folder); err != nil {
		return nil, errors.Join(&RevisionError{revision, err.Error()}, past.Close())
	}
	past.Repository = &Repository{Root: folder, inside: ".", origin: r.origin, Revision: Revision{SHA: commit.Hash.String(), Branch: r.Revision.Branch}}
	if err := past.read(ctx); err != nil {
		return nil, errors.Join(err, past.Close())
	}
	return past, nil
}

func (p *Past) read(ctx context.Context) error {
	root, err := os.OpenRoot(p.Root)
	if err != nil {
		return fmt.Errorf("opening the past tree: %w", err)
	}
	defer root.Close()
	if err := p.readFiles(ctx, root, manifest.Limits{}); err != nil {
		return err
	}
	return p.understand(ctx, root)
}

// ResolveRevision returns the hash of the commit that a revision means in the
// Git repository that a folder belongs to. The error is a *RevisionError.
func ResolveRevision(folder, revision string) (string, error) {
	_, commit, err := resolveRevision(folder, revision)
	if err != nil {
		return "", err
	}
	return commit.Hash.String(), nil
}

func resolveRevision(folder, revision string) (*git.Repository, *object.Commit, error) {
	repository, err := git.PlainOpenWithOptions(folder, &git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if err != nil {
		return nil, nil, &RevisionError{revision, folder + " is not under Git"}
	}
	hash, err := repository.ResolveRevision(plumbing.Revision(revision))
	if err != nil {
		return nil, nil, &RevisionError{revision, "there is no such branch, tag or commit"}
	}
	commit, err := repository.CommitObject(*hash)
	if err != nil {
		return nil, nil, &RevisionError{revision, "its commit is not in this clone (a shallow clone holds the newest commits only)"}
	}
	return repository, commit, nil
}

// commit finds a revision, and where in its tree the repository's root stands.
func (r *Repository) commit(revision string) (*object.Commit, string, error) {
	repository, commit, err := resolveRevision(r.Root, revision)
	if err != nil {
		return nil, "", err
	}
	worktree, err := repository.Worktree()
	if err != nil {
		return nil, "", &RevisionError{revision, "the Git repository has no working tree"}
	}
	prefix, err := filepath.Rel(worktree.Filesystem.Root(), r.Root)
	if err != nil {
		return nil, "", &RevisionError{revision, err.Error()}
	}
	return commit, filepath.ToSlash(prefix), nil
}

// writeTree writes the files of a commit that stand below prefix into folder.
func writeTree(ctx context.Context, commit *object.Commit, prefix, folder string) error {
	tree, err := commit.Tree()
	if err != nil {
		return fmt.Errorf("its tree cannot be read: %w", err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	if prefix != "." {
		if tree, err = tree.Tree(prefix); err != nil {
			return fmt.Errorf("it has no folder %s", prefix)
		}
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	files, bytes := 0, int64(0)
	return tree.Files().ForEach(func(f *object.File) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		files, bytes = files+1, bytes+min(f.Size, manifest.MaxSize)
		if files > maxPastFiles || bytes > maxPastBytes {
			return fmt.Errorf("its tree has more than %d files or %d bytes", maxPastFiles, maxPastBytes)
		}
		return writePast(root, f)
	})
}

// writePast writes one file. What is too large to be read is written as a hole.
func writePast(root *os.Root, f *object.File) error {
	if err := root.MkdirAll(path.Dir(f.Name), 0o700); err != nil {
		return err
	}
	content, err := f.Reader()
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", f.Name, err)
	}
	defer content.Close()
	if f.Mode == filemode.Symlink {
		target, err := io.ReadAll(io.LimitReader(content, maxLink))
		if err != nil {
			return fmt.Errorf("%s cannot be read: %w", f.Name, err)
		}
		return root.Symlink(string(target), f.Name)
	}
	file, err := root.OpenFile(f.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if f.Size > manifest.MaxSize {
		err = file.Truncate(f.Size)
	} else {
		_, err = io.Copy(file, io.LimitReader(content, manifest.MaxSize))
	}
	return errors.Join(err, file.Close())
}
