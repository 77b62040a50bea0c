package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/fluxcd/pkg/apis/meta"

	"hearth/internal/domain"
)

// Artifact describes stored content. Digest is "sha256:" and 64 hexadecimal
// digits, Size its length in bytes as served.
type Artifact struct {
	Revision string
	Digest   string
	Size     int64
	Time     time.Time
}

// ErrNotStored says that the store has no artifact of a digest.
var ErrNotStored = errors.New("the artifact is not in the store")

// Store keeps artifacts on disk by their digest. Its methods may be called
// concurrently, and several processes may share a folder: everything appears
// by one rename.
type Store struct {
	root string

	mu         sync.Mutex
	url        string
	known      map[fileID]string    // a stored file of that content
	current    map[string]string    // digest by the path of the object it is published for
	superseded map[string]time.Time // when a published digest was replaced
}

const (
	treeFolder = "tree" // tree/<hex>/…: folders
	blobFolder = "blob" // blob/<hex>/<name>: single files
	workFolder = "tmp"  // what is being written

	// abandonedAfter is when an unfinished write of a process that ended is
	// removed.
	abandonedAfter = time.Hour
	// supersededFor is how long a replaced artifact may still be read.
	supersededFor = 5 * time.Minute
)

// OpenStore opens or makes a store in a folder.
func OpenStore(dir string) (*Store, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open the artifact store %s: %w", dir, err)
	}
	for _, folder := range []string{treeFolder, blobFolder, workFolder} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o700); err != nil {
			return nil, fmt.Errorf("open the artifact store %s: %w", dir, err)
		}
	}
	s := &Store{
		root:       root,
		known:      map[fileID]string{},
		current:    map[string]string{},
		superseded: map[string]time.Time{},
	}
	return s, s.removeAbandoned()
}

func (s *Store) removeAbandoned() error {
	work := filepath.Join(s.root, workFolder)
	entries, err := os.ReadDir(work)
	if err != nil {
		return fmt.Errorf("open the artifact store %s: %w", s.root, err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || time.Since(info.ModTime()) < abandonedAfter {
			continue
		}
		if err := os.RemoveAll(filepath.Join(work, entry.Name())); err != nil {
			return fmt.Errorf("remove the unfinished artifact %s: %w", entry.Name(), err)
		}
	}
	return nil
}

// Dir returns the folder that holds a folder's artifact. It must not be
// written to. The error is ErrNotStored where there is none.
func (s *Store) Dir(digest string) (string, error) {
	return s.find(treeFolder, digest)
}

// File returns the path of a single file's artifact. It must not be written
// to. The error is ErrNotStored where there is none.
func (s *Store) File(digest string) (string, error) {
	folder, err := s.find(blobFolder, digest)
	if err != nil {
		return "", err
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		return "", fmt.Errorf("%w: %s", ErrNotStored, digest)
	}
	return filepath.Join(folder, entries[0].Name()), nil
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (s *Store) find(folder, digest string) (string, error) {
	if !digestForm.MatchString(digest) {
		return "", fmt.Errorf("%w: %q is no sha256 digest", ErrNotStored, digest)
	}
	path := filepath.Join(s.root, folder, strings.TrimPrefix(digest, "sha256:"))
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %s", ErrNotStored, digest)
	} else if err != nil {
		return "", fmt.Errorf("look up the artifact %s: %w", digest, err)
	}
	return path, nil
}

// Resolve returns the folder or file of an artifact that a source object's
// status names. The error is ErrNotStored where the store has neither.
func (s *Store) Resolve(a *meta.Artifact) (string, error) {
	if a == nil {
		return "", fmt.Errorf("%w: none is named", ErrNotStored)
	}
	path, err := s.Dir(a.Digest)
	if errors.Is(err, ErrNotStored) {
		return s.File(a.Digest)
	}
	return path, err
}

// Artifact returns what the status of the object says that an artifact is
// published for. The one published for it before may be read for some minutes
// more.
func (s *Store) Artifact(a Artifact, ref domain.Ref) *meta.Artifact {
	name := strings.TrimPrefix(a.Digest, "sha256:") + ".tar.gz"
	if file, err := s.File(a.Digest); err == nil {
		name = strings.TrimPrefix(a.Digest, "sha256:") + "-" + filepath.Base(file)
	}
	object := strings.ToLower(ref.Kind) + "/" + ref.Namespace + "/" + ref.Name
	path := object + "/" + name
	size := a.Size

	s.mu.Lock()
	defer s.mu.Unlock()
	if before := s.current[object]; before != "" && before != a.Digest {
		s.superseded[before] = time.Now()
	}
	s.current[object] = a.Digest
	delete(s.superseded, a.Digest)
	return &meta.Artifact{
		Path:           path,
		URL:            s.url + "/" + path,
		Revision:       a.Revision,
		Digest:         a.Digest,
		LastUpdateTime: metaTime(a.Time),
		Size:           &size,
	}
}

// collect removes folders that were replaced some minutes ago.
func (s *Store) collect(ctx context.Context) error {
	for _, digest := range s.collectable() {
		if err := ctx.Err(); err != nil {
			return err
		}
		path, err := s.Dir(digest)
		if errors.Is(err, ErrNotStored) {
			continue
		}
		if err != nil {
			return err
		}
		// A rename first, so that nobody finds half of it.
		gone := filepath.Join(s.root, workFolder, fmt.Sprintf("gone-%d-%s", os.Getpid(), filepath.Base(path)))
		if err := os.Rename(path, gone); err != nil {
			return fmt.Errorf("remove the replaced artifact %s: %w", digest, err)
		}
		if err := os.RemoveAll(gone); err != nil {
			return fmt.Errorf("remove the replaced artifact %s: %w", digest, err)
		}
	}
	return nil
}

func (s *Store) collectable() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	inUse := map[string]bool{}
	for _, digest := range s.current {
		inUse[digest] = true
	}
	var old []string
	for digest, since := range s.superseded {
		if time.Since(since) < supersededFor {
			continue
		}
		delete(s.superseded, digest)
		if !inUse[digest] {
			old = append(old, digest)
		}
	}
	return old
}
