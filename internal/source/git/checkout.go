package git

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// Bounds on what is written of one repository with all its submodules.
const (
	maxEntries    = 100_000 // files and folders
	maxTree       = 1 << 30
	maxDepth      = 64
	maxLink       = 4096
	maxLinkPasses = 16 // links that lead to links
)

// CheckoutOptions say which part of a commit is written.
type CheckoutOptions struct {
	// Sparse are the folders to write; none means all.
	Sparse []string
	// Submodules are written too, and those in them.
	Submodules bool

	maxEntries int // fewer in tests; 0 means maxEntries
}

// Checkout writes the commit's files to an empty folder. A symbolic link is
// replaced by what it leads to, and left out where that is not in the
// repository.
func (s *Snapshot) Checkout(ctx context.Context, dir string, o CheckoutOptions) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	c := &checkout{ctx: ctx, root: root, dir: s.dir, most: cmp.Or(o.maxEntries, maxEntries)}
	for _, folder := range o.Sparse {
		c.sparse = append(c.sparse, strings.TrimPrefix(path.Clean("/"+folder), "/"))
	}
	if err := c.snapshot(s, "", o.Submodules, 0); err != nil {
		return because(ctx, err)
	}
	if err := c.resolveLinks(); err != nil {
		return because(ctx, err)
	}
	return nil
}

// checkout writes a commit and its submodules.
type checkout struct {
	ctx    context.Context
	root   *os.Root
	dir    string // for the objects of submodules
	sparse []string

	most       int // entries
	entries    int
	bytes      int64
	submodules int
	links      []symbolicLink
}

type symbolicLink struct{ rel, target string }

// snapshot writes a commit below prefix.
func (c *checkout) snapshot(s *Snapshot, prefix string, submodules bool, nested int) error {
	tree, err := s.commit.Tree()
	if err != nil {
		return fmt.Errorf("read the commit %s: %w", s.Target.Commit, err)
	}
	modules := map[string]plumbing.Hash{}
	if err := c.tree(s.storage, tree, prefix, 0, modules); err != nil {
		return err
	}
	if !submodules || len(modules) == 0 {
		return nil
	}
	return c.modules(s, tree, prefix, modules, nested)
}

func (c *checkout) tree(storage *filesystem.Storage, tree *object.Tree, rel string, depth int, modules map[string]plumbing.Hash) error {
	if depth > maxDepth {
		return fmt.Errorf("%s is nested more than %d folders deep", legible(rel), maxDepth)
	}
	for _, entry := range tree.Entries {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		child := path.Join(rel, entry.Name)
		if err := checkName(entry.Name); err != nil {
			return fmt.Errorf("the repository holds %q: %w", child, err)
		}
		if !c.wanted(child, entry.Mode == filemode.Dir || entry.Mode == filemode.Submodule) {
			continue
		}
		if err := c.entry(storage, entry, child, depth, modules); err != nil {
			return err
		}
	}
	return nil
}

func (c *checkout) entry(storage *filesystem.Storage, entry object.TreeEntry, rel string, depth int, modules map[string]plumbing.Hash) error {
	switch entry.Mode {
	case filemode.Dir:
		if err := c.makeFolder(rel); err != nil {
			return err
		}
		tree, err := object.GetTree(storage, entry.Hash)
		if err != nil {
			return fmt.Errorf("read the folder %s: %w", rel, err)
		}
		return c.tree(storage, tree, rel, depth+1, modules)
	case filemode.Regular, filemode.Deprecated, filemode.Executable:
		return c.blob(storage, entry, rel)
	case filemode.Symlink:
		target, err := readBlob(storage, entry.Hash, maxLink)
		if err != nil {
			return fmt.Errorf("read the symbolic link %s: %w", rel, err)
		}
		c.links = append(c.links, symbolicLink{rel, string(target)})
		return c.count(1, 0)
	case filemode.Submodule:
		modules[rel] = entry.Hash
		return c.makeFolder(rel)
	}
	return nil // what Git has no name for is no file
}

// checkName refuses what no Git of our time would write.
func checkName(name string) error {
	switch {
	case name == "", name == ".", name == "..", strings.EqualFold(name, ".git"):
		return errors.New("no file may be called so")
	case strings.ContainsAny(name, "/\\\x00"):
		return errors.New("no file's name may hold that")
	case len(name) > 255:
		return errors.New("the name is too long")
	}
	return nil
}

// wanted reports whether a path is in, or a folder on the way to, one of the
// folders to write.
func (c *checkout) wanted(rel string, isDir bool) bool {
	if len(c.sparse) == 0 {
		return true
	}
	for _, folder := range c.sparse {
		inside := folder == "" || rel == folder || strings.HasPrefix(rel, folder+"/")
		if inside || isDir && strings.HasPrefix(folder, rel+"/") {
			return true
		}
	}
	return false
}

// count keeps to the bounds.
func (c *checkout) count(entries int, bytes int64) error {
	c.entries += entries
	c.bytes += bytes
	if c.entries > c.most {
		return fmt.Errorf("the repository holds more than %d files and folders", c.most)
	}
	if c.bytes > maxTree {
		return fmt.Errorf("the repository holds more than %d MiB", maxTree>>20)
	}
	return nil
}

func (c *checkout) makeFolder(rel string) error {
	if err := c.count(1, 0); err != nil {
		return err
	}
	return c.root.MkdirAll(filepath.FromSlash(rel), 0o755)
}

func (c *checkout) blob(storage *filesystem.Storage, entry object.TreeEntry, rel string) error {
	blob, err := object.GetBlob(storage, entry.Hash)
	if err != nil {
		return fmt.Errorf("read the file %s: %w", rel, err)
	}
	reader, err := blob.Reader()
	if err != nil {
		return fmt.Errorf("read the file %s: %w", rel, err)
	}
	defer reader.Close()
	return c.file(rel, entry.Mode == filemode.Executable, blob.Size, reader)
}

func (c *checkout) file(rel string, executable bool, size int64, r io.Reader) error {
	if err := c.count(1, size); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if executable {
		mode = 0o755
	}
	file, err := c.root.OpenFile(filepath.FromSlash(rel), os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, io.LimitReader(r, size))
	return errors.Join(err, file.Close())
}

func readBlob(storage *filesystem.Storage, hash plumbing.Hash, limit int64) ([]byte, error) {
	blob, err := object.GetBlob(storage, hash)
	if err != nil {
		return nil, err
	}
	if blob.Size > limit {
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	reader, err := blob.Reader()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return io.ReadAll(io.LimitReader(reader, limit))
}
