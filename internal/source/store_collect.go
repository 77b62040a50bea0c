package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fluxcd/pkg/apis/meta"

	"hearth/internal/domain"
)

// An artifact is kept while any process has it published for an object, or had
// it published for that object just before. Every process that has opened a
// store says so in a file of its own, which it holds locked while it lives.
// What nobody names is removed once it was not asked for in a while.

const (
	usersFolder = "use"  // use/<instance>: what a process has published
	lockName    = "lock" // held for moments: who adds, who removes

	// unusedFor is how long an artifact is kept that nothing names.
	unusedFor = 5 * time.Minute
	// endedFor is how long what a process had published is kept after it ended,
	// for the one that takes its place.
	endedFor = 24 * time.Hour
	// collectEvery is how often unused artifacts are looked for.
	collectEvery = time.Minute
)

// published is what an object has in the store.
type published struct{ current, previous string }

// publish notes what is published for an object now.
func (s *Store) publish(object, digest string) {
	s.mu.Lock()
	was := s.current[object]
	if was.current == digest {
		s.mu.Unlock()
		return
	}
	s.current[object] = published{current: digest, previous: was.current}
	s.mu.Unlock()
	s.noteUse()
}

// Release says that an object is gone: what it had published is removed after
// some minutes, unless another has it published too.
func (s *Store) Release(ref domain.Ref) {
	s.mu.Lock()
	_, had := s.current[objectPath(ref)]
	delete(s.current, objectPath(ref))
	s.mu.Unlock()
	if had {
		s.noteUse()
	}
}

func objectPath(ref domain.Ref) string {
	return strings.ToLower(ref.Kind) + "/" + ref.Namespace + "/" + ref.Name
}

// register makes the file that says what this process uses.
func (s *Store) register() error {
	file, err := os.CreateTemp(filepath.Join(s.root, usersFolder), fmt.Sprintf("%d-", os.Getpid()))
	if err != nil {
		return fmt.Errorf("open the artifact store %s: %w", s.root, err)
	}
	if err := lockFile(file); err != nil {
		file.Close()
		return fmt.Errorf("open the artifact store %s: lock %s: %w", s.root, file.Name(), err)
	}
	s.user, s.collected = file, time.Now()
	s.noteUse()
	return nil
}

// noteUse writes what is published by this process. Where that fails nothing is
// removed until it succeeds.
func (s *Store) noteUse() {
	err := s.locked(func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.writeUse()
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noted = err == nil
}

func (s *Store) writeUse() error {
	digests := map[string]bool{}
	for _, p := range s.current {
		digests[p.current], digests[p.previous] = true, true
	}
	delete(digests, "")
	var text strings.Builder
	for _, digest := range slices.Sorted(maps.Keys(digests)) {
		text.WriteString(digest + "\n")
	}
	text.WriteString(useEnd)
	if err := s.user.Truncate(0); err != nil {
		return err
	}
	_, err := s.user.WriteAt([]byte(text.String()), 0)
	return err
}

// useEnd ends a whole list of what is used.
const useEnd = "end\n"

// locked runs do while no other process adds to or removes from the store.
func (s *Store) locked(do func() error) error {
	file, err := os.OpenFile(filepath.Join(s.root, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := lockFile(file); err != nil {
		return err
	}
	return do()
}

// install moves what was written to its place, unless it is there. Either way
// it was asked for now.
func (s *Store) install(work, final string) (moved bool, err error) {
	err = s.locked(func() error {
		if touch(final) == nil {
			return nil
		}
		err := os.Rename(work, final)
		moved = err == nil
		return err
	})
	return moved, err
}

// has reports whether an artifact is there, and keeps it there for a while.
func (s *Store) has(final string) bool {
	return s.locked(func() error { return touch(final) }) == nil
}

// touch notes that an artifact was asked for.
func touch(path string) error {
	now := time.Now()
	return os.Chtimes(path, now, now)
}

// adopt takes an artifact that a status names, and that another process may
// have stored, for published.
func (s *Store) adopt(a *meta.Artifact) {
	object := path.Dir(a.Path)
	if strings.Count(object, "/") != 2 || !digestForm.MatchString(a.Digest) {
		return
	}
	s.mu.Lock()
	_, known := s.current[object]
	s.mu.Unlock()
	if !known {
		s.publish(object, a.Digest)
	}
}

// Collect removes what nobody uses. It returns at once where it was done less
// than a minute ago, and may be called by several processes at a time.
func (s *Store) Collect(ctx context.Context) error {
	s.mu.Lock()
	due := time.Since(s.collected) >= collectEvery
	if due {
		s.collected = time.Now()
	}
	s.mu.Unlock()
	if !due || !collects {
		return nil
	}
	return s.collect(ctx)
}

func (s *Store) collect(ctx context.Context) error {
	s.mu.Lock()
	noted := s.noted
	s.mu.Unlock()
	if !noted {
		s.noteUse()
	}
	var gone []string
	err := s.locked(func() (err error) {
		gone, err = s.takeUnused(ctx)
		return err
	})
	for _, path := range gone {
		if removed := os.RemoveAll(path); removed != nil && err == nil {
			err = removed
		}
	}
	if err != nil {
		return fmt.Errorf("remove unused artifacts from %s: %w", s.root, err)
	}
	return nil
}

// takeUnused renames what is to be removed, so that nobody finds half of it.
func (s *Store) takeUnused(ctx context.Context) (gone []string, err error) {
	used, sure := s.used()
	if !sure {
		return nil, nil
	}
	for _, folder := range []string{treeFolder, blobFolder} {
		entries, err := os.ReadDir(filepath.Join(s.root, folder))
		if err != nil {
			return gone, err
		}
		for _, entry := range entries {
			if err := ctx.Err(); err != nil {
				return gone, err
			}
			info, err := entry.Info()
			if err != nil || used["sha256:"+entry.Name()] || time.Since(info.ModTime()) < unusedFor {
				continue
			}
			to := filepath.Join(s.root, workFolder, fmt.Sprintf("gone-%d-%s-%s", os.Getpid(), folder, entry.Name()))
			if err := os.Rename(filepath.Join(s.root, folder, entry.Name()), to); err != nil {
				return gone, err
			}
			gone = append(gone, to)
		}
	}
	return gone, nil
}

// used returns what any process names. sure is false where one could not be
// asked: then nothing may be removed.
func (s *Store) used() (used map[string]bool, sure bool) {
	used = map[string]bool{}
	s.mu.Lock()
	sure = s.noted
	for _, p := range s.current {
		used[p.current], used[p.previous] = true, true
	}
	s.mu.Unlock()
	entries, err := os.ReadDir(filepath.Join(s.root, usersFolder))
	if err != nil {
		return used, false
	}
	for _, entry := range entries {
		name := filepath.Join(s.root, usersFolder, entry.Name())
		if name == s.user.Name() {
			continue
		}
		digests, whole := s.usedBy(name)
		sure = sure && whole
		for _, digest := range digests {
			used[digest] = true
		}
	}
	return used, sure
}

// usedBy reads what one process names. That of a process that ended counts for
// a while, and is then removed.
func (s *Store) usedBy(name string) (digests []string, whole bool) {
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, errors.Is(err, fs.ErrNotExist)
	}
	defer file.Close()
	ended := tryLockFile(file)
	info, err := file.Stat()
	if err != nil {
		return nil, false
	}
	if ended && time.Since(info.ModTime()) > endedFor {
		return nil, os.Remove(name) == nil
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, false
	}
	lines := strings.Split(string(content), "\n")
	whole = ended || strings.HasSuffix(string(content), useEnd)
	return slices.DeleteFunc(lines, func(line string) bool { return !digestForm.MatchString(line) }), whole
}

// keepCollecting removes unused artifacts until ctx ends.
func (s *Store) keepCollecting(ctx context.Context) {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = s.Collect(ctx) // what cannot be removed now is tried again
		}
	}
}
