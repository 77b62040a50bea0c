package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DirOptions says what to store of a folder, and how to call it.
type DirOptions struct {
	// Ignore reports whether a file is left out, or a folder with all it
	// holds. Paths are relative to the folder and use slashes. Nil keeps all.
	Ignore func(rel string, isDir bool) bool

	// Revision names the content once its digest is known. Nil means the
	// digest itself.
	Revision func(digest string) string

	// Visit is shown every file that is stored, in order of its path.
	Visit func(rel string, executable bool, content []byte)
}

// Bounds on what is stored of one folder.
const (
	maxFiles     = 100_000
	maxTreeBytes = 1 << 30
	maxFileBytes = 256 << 20
	maxDepth     = 64
	maxKnown     = 1 << 16
)

// fileID tells the content of a stored file, and whether it may be executed.
type fileID struct {
	digest     [sha256.Size]byte
	executable bool
}

// WorkFolder makes a folder to prepare an artifact in. Whoever asked for it
// removes it; where the process ends before, it is removed when the store is
// opened an hour later.
func (s *Store) WorkFolder(pattern string) (string, error) {
	return os.MkdirTemp(filepath.Join(s.root, workFolder), pattern)
}

// PutDir stores what a folder holds now. Symbolic links and other irregular
// files are left out, as in Flux. Content that the store has is not copied.
func (s *Store) PutDir(ctx context.Context, dir string, o DirOptions) (Artifact, error) {
	if err := s.Collect(ctx); err != nil {
		return Artifact{}, err
	}
	a, err := s.putDir(ctx, dir, o)
	if err != nil {
		return Artifact{}, fmt.Errorf("store the folder %s: %w", dir, err)
	}
	a.Revision = a.Digest
	if o.Revision != nil {
		a.Revision = o.Revision(a.Digest)
	}
	return a, nil
}

func (s *Store) putDir(ctx context.Context, dir string, o DirOptions) (Artifact, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Artifact{}, err
	}
	defer root.Close()
	work, err := os.MkdirTemp(filepath.Join(s.root, workFolder), "tree-")
	if err != nil {
		return Artifact{}, err
	}
	defer os.RemoveAll(work)

	w := &treeWriter{ctx: ctx, store: s, root: root, options: o, work: work, made: map[string]bool{".": true}, stored: map[fileID]string{}}
	w.digest = newTarDigest()
	if err := w.folder(".", 0); err != nil {
		return Artifact{}, err
	}
	sum, size, err := w.digest.sum()
	if err != nil {
		return Artifact{}, err
	}
	a := Artifact{Digest: "sha256:" + sum, Size: size, Time: time.Now()}
	final := filepath.Join(s.root, treeFolder, sum)
	if s.has(final) {
		return a, nil
	}
	if err := w.link(); err != nil {
		return Artifact{}, err
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return Artifact{}, err
	}
	// Another writer of the same content may have been first.
	if moved, err := s.install(work, final); err != nil || !moved {
		return a, err
	}
	s.remember(w.stored, final)
	return a, nil
}

func (s *Store) remember(stored map[fileID]string, final string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known)+len(stored) > maxKnown {
		clear(s.known)
	}
	for id, rel := range stored {
		s.known[id] = filepath.Join(final, filepath.FromSlash(rel))
	}
}

func (s *Store) knownFile(id fileID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[id]
}

func (s *Store) forgetFile(id fileID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, id)
}

// treeWriter walks a folder once: it digests every file, writes those whose
// content the store does not have, and notes the others to be linked.
type treeWriter struct {
	ctx     context.Context
	store   *Store
	root    *os.Root
	options DirOptions
	work    string
	digest  *tarDigest

	files  int
	bytes  int64
	made   map[string]bool
	stored map[fileID]string // path in the folder, by content
	links  []link
}

type link struct {
	rel string
	id  fileID
	to  string
}

func (w *treeWriter) folder(rel string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s is nested more than %d folders deep", rel, maxDepth)
	}
	f, err := w.root.Open(rel)
	if err != nil {
		return err
	}
	entries, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		return err
	}
	sortEntries(entries)
	for _, entry := range entries {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		child := path.Join(rel, entry.Name())
		if !entry.IsDir() && !entry.Type().IsRegular() {
			continue
		}
		if w.options.Ignore != nil && w.options.Ignore(child, entry.IsDir()) {
			continue
		}
		if entry.IsDir() {
			err = w.folder(child, depth+1)
		} else {
			err = w.file(child)
		}
		// What vanishes while it is looked at was not there.
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (w *treeWriter) file(rel string) error {
	content, executable, err := w.read(rel)
	if err != nil {
		return err
	}
	w.files++
	w.bytes += int64(len(content))
	if w.files > maxFiles {
		return fmt.Errorf("it holds more than %d files", maxFiles)
	}
	if w.bytes > maxTreeBytes {
		return fmt.Errorf("it holds more than %d MiB", maxTreeBytes>>20)
	}
	if err := w.digest.add(rel, executable, content); err != nil {
		return err
	}
	if w.options.Visit != nil {
		w.options.Visit(rel, executable, content)
	}
	id := fileID{sha256.Sum256(content), executable}
	if to := w.store.knownFile(id); to != "" {
		w.links = append(w.links, link{rel, id, to})
		return nil
	}
	w.stored[id] = rel
	return w.write(rel, executable, content)
}

func (w *treeWriter) read(rel string) (content []byte, executable bool, err error) {
	f, err := w.root.Open(rel)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	if !info.Mode().IsRegular() {
		return nil, false, fmt.Errorf("%s changed while it was read", rel)
	}
	content = make([]byte, 0, min(info.Size(), maxFileBytes)+1)
	content, err = readAll(io.LimitReader(f, maxFileBytes+1), content)
	if err != nil {
		return nil, false, err
	}
	if len(content) > maxFileBytes {
		return nil, false, fmt.Errorf("%s is larger than %d MiB", rel, maxFileBytes>>20)
	}
	return content, info.Mode()&0o100 != 0, nil
}

func (w *treeWriter) write(rel string, executable bool, content []byte) error {
	if err := w.makeFolder(path.Dir(rel)); err != nil {
		return err
	}
	mode := os.FileMode(0o444)
	if executable {
		mode = 0o555
	}
	return os.WriteFile(filepath.Join(w.work, filepath.FromSlash(rel)), content, mode)
}

func (w *treeWriter) makeFolder(rel string) error {
	if w.made[rel] {
		return nil
	}
	w.made[rel] = true
	return os.MkdirAll(filepath.Join(w.work, filepath.FromSlash(rel)), 0o755)
}

// link adds the files whose content the store has already.
func (w *treeWriter) link() error {
	for _, l := range w.links {
		if err := w.makeFolder(path.Dir(l.rel)); err != nil {
			return err
		}
		if err := os.Link(l.to, filepath.Join(w.work, filepath.FromSlash(l.rel))); err != nil {
			w.store.forgetFile(l.id)
			if err := w.copy(l); err != nil {
				return err
			}
		}
		w.stored[l.id] = l.rel
	}
	return nil
}

// copy writes a file that could not be linked, if it is still what was seen.
func (w *treeWriter) copy(l link) error {
	content, executable, err := w.read(l.rel)
	if err != nil {
		return err
	}
	if (fileID{sha256.Sum256(content), executable}) != l.id {
		return fmt.Errorf("%s changed while it was read", l.rel)
	}
	return w.write(l.rel, executable, content)
}

func metaTime(t time.Time) metav1.Time { return metav1.NewTime(t.Truncate(time.Second)) }
