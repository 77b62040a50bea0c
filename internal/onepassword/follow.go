package onepassword

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a folder is left alone before its file is read: what
// replaces a file does so in several steps.
const settle = 100 * time.Millisecond

// Follow reads the vault file again whenever it changes, until ctx ends.
// Each time report is told the error, or nil; after an error the server goes
// on with what it had. The error returned says why it cannot be followed.
func (s *Server) Follow(ctx context.Context, report func(error)) error {
	file := s.options.File
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("follow the vault file %s: %w", file, err)
	}
	defer watcher.Close()
	// The folder, since files are replaced, and those that Kubernetes mounts
	// are links that change elsewhere in it.
	if err := watcher.Add(filepath.Dir(file)); err != nil {
		return fmt.Errorf("follow the vault file %s: %w", file, err)
	}
	last := fileDigest(file)
	timer := time.NewTimer(0) // it may have changed before it was watched
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-watcher.Events:
			timer.Reset(settle)
		case err := <-watcher.Errors:
			report(fmt.Errorf("follow the vault file %s: %w", file, err))
		case <-timer.C:
			if digest := fileDigest(file); digest != last {
				last = digest
				report(s.Reload())
			}
		}
	}
}

// fileDigest returns the digest of a file; that of nothing where it cannot be read.
func fileDigest(path string) [sha256.Size]byte {
	data, err := os.ReadFile(path)
	if err != nil {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(data)
}
