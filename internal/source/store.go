package source

import (
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

	mu        sync.Mutex
	url       string
	known     map[fileID]string    // a stored file of that content
	current   map[string]published // by the path of the object it is for
	user      *os.File             // says to other processes what is published
	noted     bool                 // user says all of it
	collected time.Time            // when unused artifacts were last looked for
}

const (
	treeFolder = "tree" // tree/<hex>/…: folders
	blobFolder = "blob" // blob/<hex>/<name>: single files
	workFolder = "tmp"  // what is being written

	// abandonedAfter is when an unfinished write of a process that ended is
	// removed.
	abandonedAfter = time.Hour
)

// OpenStore opens or makes a store in a folder.
func OpenStore(dir string) (*Store, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open the artifact store %s: %w", dir, err)
	}
	for _, folder := range []string{treeFolder, blobFolder, workFolder, usersFolder} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o700); err != nil {
			return nil, fmt.Errorf("open the artifact store %s: %w", dir, err)
		}
	}
	s := &Store{
		root:    root,
		known:   map[fileID]string{},
		current: map[string]published{},
	}
	if err := s.register(); err != nil {
		return nil, err
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
		path, err = s.File(a.Digest)
	}
	if err == nil {
		s.adopt(a)
	}
	return path, err
}

// Artifact returns what the status of the object says that an artifact is
// published for. The one published for it before is kept as well, and those
// before that for some minutes.
func (s *Store) Artifact(a Artifact, ref domain.Ref) *meta.Artifact {
	name := strings.TrimPrefix(a.Digest, "sha256:") + ".tar.gz"
	if file, err := s.File(a.Digest); err == nil {
		name = strings.TrimPrefix(a.Digest, "sha256:") + "-" + filepath.Base(file)
	}
	path := objectPath(ref) + "/" + name
	size := a.Size
	s.publish(objectPath(ref), a.Digest)

	s.mu.Lock()
	defer s.mu.Unlock()
	return &meta.Artifact{
		Path:           path,
		URL:            s.url + "/" + path,
		Revision:       a.Revision,
		Digest:         a.Digest,
		LastUpdateTime: metaTime(a.Time),
		Size:           &size,
	}
}
