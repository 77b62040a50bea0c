package rehearsal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fsnotify/fsnotify"

	"hearth/internal/source"
)

// Follow keeps the stage going until ctx ends, which is no error: what is
// saved in the working tree is reconciled at once, and a vault file that
// changes is read again. The error says why it could not go on.
func (s *Stage) Follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watching := make(chan error, 1)
	go func() {
		watching <- source.Watch(ctx, s.repository.Root, s.engine.refresh)
	}()
	go s.assumeWhenQuiet(ctx)
	if file := s.engine.vaultFile; file != "" {
		go s.followVault(ctx, file)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-watching:
			if err != nil && ctx.Err() == nil {
				return err
			}
		case err := <-s.entered:
			if err != nil && ctx.Err() == nil {
				return err
			}
			s.entered = nil
		case err := <-s.done:
			s.done <- err
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("the reconcilers stopped: %w", err)
		case <-s.kubernetes.Done():
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("Kubernetes stopped: %w", s.kubernetes.Err())
		}
	}
}

// followVault reads the vault file again whenever it changes. A file that
// cannot be read leaves what was there in force, and is told as a problem.
func (s *Stage) followVault(ctx context.Context, file string) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		s.problem("follow the vault file %s: %v", file, err)
		return
	}
	defer watcher.Close()
	// Editors replace files, so that the folder has to be followed.
	if err := watcher.Add(filepath.Dir(file)); err != nil {
		s.problem("follow the vault file %s: %v", file, err)
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-watcher.Events:
			if filepath.Clean(event.Name) != filepath.Clean(file) {
				continue
			}
			if _, err := os.Stat(file); err != nil {
				continue // being replaced
			}
			if err := s.engine.vault.Reload(); err != nil {
				s.problem("%v", err)
				continue
			}
			s.engine.trigger.Refresh()
		case err := <-watcher.Errors:
			if err != nil {
				s.problem("follow the vault file %s: %v", file, err)
			}
		}
	}
}
