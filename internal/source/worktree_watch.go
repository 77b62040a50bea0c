package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/fluxcd/pkg/sourceignore"
	"github.com/fsnotify/fsnotify"
)

const (
	// settleTime is how long nothing must change before a change is told, so
	// that an editor's dance of temporary files and renames is one change.
	settleTime = 50 * time.Millisecond
	// settleLimit is when a change is told although the tree does not rest.
	settleLimit = 500 * time.Millisecond
	// maxWatches bounds how many folders are followed.
	maxWatches = 16_384

	gitHeads = gitFolder + "/refs/heads"
)

// Watch calls changed after files of the tree changed, or what is checked out
// did, until ctx ends. Files that a snapshot leaves out are not followed. The
// error says why the tree cannot be followed any longer; it is nil once ctx
// has ended.
func (w *WorkingTree) Watch(ctx context.Context, changed func()) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("follow changes of %s: %w", w.root, err)
	}
	defer watcher.Close()
	f := &follower{tree: w, watcher: watcher, watched: map[string]bool{}}
	if err := f.start(); err != nil {
		return fmt.Errorf("follow changes of %s: %w", w.root, err)
	}
	if err := f.run(ctx, changed); err != nil {
		return fmt.Errorf("follow changes of %s: %w", w.root, err)
	}
	return nil
}

// Watch follows a folder as WorkingTree.Watch does.
func Watch(ctx context.Context, root string, changed func()) error {
	tree, err := OpenWorkingTree(root)
	if err != nil {
		return err
	}
	return tree.Watch(ctx, changed)
}

type follower struct {
	tree    *WorkingTree
	watcher *fsnotify.Watcher
	ignore  func(rel string, isDir bool) bool
	watched map[string]bool
}

func (f *follower) start() error {
	if err := f.readIgnore(); err != nil {
		return err
	}
	if err := f.add("."); err != nil {
		return err
	}
	// A commit changes the revision though no file of the tree changes.
	for _, folder := range []string{gitFolder, gitFolder + "/logs", gitHeads} {
		if info, err := os.Stat(f.path(folder)); err == nil && info.IsDir() {
			if err := f.watch(folder); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *follower) readIgnore() error {
	ignore, err := f.tree.Ignore("")
	if err == nil {
		f.ignore = ignore
	}
	return err
}

func (f *follower) path(rel string) string {
	return filepath.Join(f.tree.root, filepath.FromSlash(rel))
}

// add follows a folder and all in it.
func (f *follower) add(rel string) error {
	if err := f.watch(rel); err != nil {
		return err
	}
	entries, err := os.ReadDir(f.path(rel))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		child := path.Join(rel, entry.Name())
		if entry.IsDir() && !f.ignore(child, true) && strings.Count(child, "/") <= maxDepth {
			if err := f.add(child); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *follower) watch(rel string) error {
	if f.watched[rel] {
		return nil
	}
	if len(f.watched) >= maxWatches {
		return fmt.Errorf("it has more than %d folders; exclude some with .gitignore or .sourceignore", maxWatches)
	}
	err := f.watcher.Add(f.path(rel))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f.watched[rel] = true
	return nil
}

func (f *follower) run(ctx context.Context, changed func()) error {
	var (
		settle *time.Timer
		fire   <-chan time.Time
		first  time.Time
	)
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-f.watcher.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return err
			}
			// Events were lost: anything may have changed.
			if err := f.add("."); err != nil {
				return err
			}
		case event, ok := <-f.watcher.Events:
			if !ok {
				return nil
			}
			matters, err := f.see(event)
			if err != nil {
				return err
			}
			if !matters {
				continue
			}
		case <-fire:
			fire, first = nil, time.Time{}
			changed()
			continue
		}
		if first.IsZero() {
			first = time.Now()
		}
		if settle != nil {
			settle.Stop()
		}
		settle = time.NewTimer(max(0, min(settleTime, settleLimit-time.Since(first))))
		fire = settle.C
	}
}

// see follows new folders, and reports whether an event changes the tree.
func (f *follower) see(event fsnotify.Event) (bool, error) {
	rel, err := filepath.Rel(f.tree.root, event.Name)
	if err != nil {
		return false, nil
	}
	rel = filepath.ToSlash(rel)
	if rel == gitFolder || strings.HasPrefix(rel, gitFolder+"/") {
		moved := rel == gitFolder+"/HEAD" || rel == gitFolder+"/logs/HEAD" || path.Dir(rel) == gitHeads
		return moved && path.Ext(rel) != ".lock", nil
	}
	if event.Has(fsnotify.Remove) || event.Has(fsnotify.Rename) {
		f.forget(rel)
	}
	if base := path.Base(rel); base == gitIgnoreFile || base == sourceignore.IgnoreFile {
		return true, f.readIgnore()
	}
	info, err := os.Lstat(event.Name)
	isDir := err == nil && info.IsDir()
	if f.ignore(rel, isDir) {
		return false, nil
	}
	if isDir && event.Has(fsnotify.Create) {
		return true, f.add(rel)
	}
	return true, nil
}

// forget ends following a folder that was removed or renamed; should it come
// back under this name it is followed anew.
func (f *follower) forget(rel string) {
	for watched := range f.watched {
		if watched == rel || strings.HasPrefix(watched, rel+"/") {
			delete(f.watched, watched)
			// The kernel has dropped it already where the folder is gone.
			_ = f.watcher.Remove(f.path(watched))
		}
	}
}
