// Package compose makes the content of new artifacts out of others', as Flux's
// ArtifactGenerators ask for it: files are copied, merged or unpacked from
// several folders into one, and one generator may make an artifact for every
// folder that a pattern fits.
//
// Nothing leaves the folders it is read from or written to, whatever paths and
// archives say; links are not followed, and everything is bounded. Where the
// folders come from, and what becomes of the new one, is left to the callers.
package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	generator "github.com/fluxcd/source-watcher/api/v2/v1beta1"
)

// Bounds on what is copied into one artifact: those of the store.
const (
	maxFiles = 100_000
	maxBytes = 1 << 30
)

// Copy does the operations in their order in an empty folder. Sources are
// folders by their alias.
func Copy(ctx context.Context, operations []generator.CopyOperation, sources map[string]string, dir string) error {
	to, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer to.Close()
	spent := &usage{}
	for _, operation := range operations {
		if err := apply(ctx, operation, sources, to, spent); err != nil {
			return fmt.Errorf("failed to apply copy operation from '%s' to '%s': %w", operation.From, operation.To, err)
		}
	}
	return nil
}

func apply(ctx context.Context, operation generator.CopyOperation, sources map[string]string, to *os.Root, spent *usage) error {
	c, alias, err := newCopier(ctx, operation, to)
	if err != nil {
		return err
	}
	c.spent = spent
	source, ok := sources[alias]
	if !ok {
		return fmt.Errorf("source alias '%s' not found", alias)
	}
	if c.from, err = os.OpenRoot(source); err != nil {
		return err
	}
	defer c.from.Close()
	if isPattern(c.pattern) {
		return c.matches(alias)
	}
	return c.single(path.Clean(c.pattern))
}

// copier does one operation.
type copier struct {
	ctx      context.Context
	from, to *os.Root
	pattern  string // below the source
	target   string // below the new artifact
	intoDir  bool   // the target was written as a folder
	exclude  []string
	strategy string
	// base is what exclude patterns may be relative to, beside the source.
	base  string
	spent *usage
}

// matches copies everything that the pattern fits. The target is a folder then.
func (c *copier) matches(alias string) error {
	found, err := c.glob()
	if err != nil {
		return fmt.Errorf("invalid glob pattern '%s': %w", c.pattern, err)
	}
	if len(found) == 0 {
		return fmt.Errorf("no files match pattern '%s' in source '%s'", c.pattern, alias)
	}
	c.base = fixedPart(c.pattern)
	all := true
	for _, name := range found {
		if name == "." || name == ".." || c.excluded(name) {
			continue
		}
		all = false
		if c.strategy == generator.ExtractStrategy {
			if err := c.extract(name, true); err != nil {
				return err
			}
			continue
		}
		if err := c.entry(name, c.targetOf(name)); err != nil {
			return fmt.Errorf("failed to copy file '%s' to '%s': %w", name, c.targetOf(name), err)
		}
	}
	if all {
		return fmt.Errorf("all files matching pattern '%s' in source '%s' were excluded", c.pattern, alias)
	}
	return nil
}

// targetOf returns where a match goes: the path that it has in the source, less
// what stands before a closing "/**".
func (c *copier) targetOf(name string) string {
	if folder, ok := strings.CutSuffix(c.pattern, "/**"); ok {
		name = strings.TrimPrefix(name, folder+"/")
	}
	return path.Join(c.target, name)
}

// single copies one file or folder, as cp does.
func (c *copier) single(name string) error {
	info, err := c.from.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("source '%s' does not exist", name)
	}
	if err != nil {
		return fmt.Errorf("failed to stat source '%s': %w", name, err)
	}
	if info.IsDir() {
		if c.strategy == generator.ExtractStrategy {
			return fmt.Errorf("extract strategy is not supported for directories, got '%s'", name)
		}
		c.base = name
		return c.entry(name, path.Join(c.target, path.Base(name)))
	}
	c.base = "."
	if c.excluded(name) {
		return nil
	}
	if c.strategy == generator.ExtractStrategy {
		return c.extract(name, false)
	}
	target := c.target
	if existing, err := c.to.Stat(target); c.intoDir || err == nil && existing.IsDir() {
		target = path.Join(target, path.Base(name))
	}
	return c.entry(name, target)
}

// entry copies a file, or a folder with all that is not excluded.
func (c *copier) entry(name, target string) error {
	return fs.WalkDir(c.from.FS(), name, func(at string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = c.ctx.Err()
		}
		if err != nil {
			return err
		}
		if at != name && c.excluded(at) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(at, name), "/")
		if name == "." {
			rel = at
		}
		to := path.Join(target, rel)
		switch {
		case entry.IsDir():
			return c.to.MkdirAll(filepath.FromSlash(to), 0o755)
		case !entry.Type().IsRegular():
			return nil
		}
		return c.file(at, to)
	})
}

// file copies a file over what is there, or merges it into that.
func (c *copier) file(name, target string) error {
	if c.strategy == generator.MergeStrategy {
		if _, err := c.to.Stat(target); err == nil {
			return c.merge(name, target)
		}
	}
	source, err := c.from.Open(name)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	if err := c.spent.add(1, info.Size()); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o100 != 0 {
		mode = 0o755
	}
	if err := c.to.MkdirAll(path.Dir(target), 0o755); err != nil {
		return err
	}
	// One that is overwritten may have had another mode.
	if err := c.to.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := c.to.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, io.LimitReader(source, info.Size()))
	return errors.Join(err, file.Close())
}
