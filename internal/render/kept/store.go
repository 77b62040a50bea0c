// Package kept keeps on disk what was computed from content, under a name that
// is a digest of all that it depends on: what is found there need not be
// computed again, and what is not there is.
//
// It promises that a file appears whole or not at all, that several processes
// may share a folder, and that whatever is wrong with the folder costs time
// only. What is kept is for the user alone; nothing that was decrypted is.
package kept

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// maxEntry is the largest entry, in bytes, that is kept or read.
const maxEntry = 64 << 20

// Store is a folder of entries. A nil store keeps nothing. Its methods may be
// called concurrently.
type Store struct {
	// Dir is its folder; it need not exist.
	Dir string
	// Entries and Bytes bound what Trim leaves; 0 means no bound.
	Entries int
	Bytes   int64
}

// In returns the store of a name in the user's cache folder, or nil where there
// is none.
func In(name string, entries int, bytes int64) *Store {
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil
	}
	return &Store{Dir: filepath.Join(dir, "hearth", name), Entries: entries, Bytes: bytes}
}

// Get returns the entry of a name, if there is a whole one. It is young again
// for Trim.
func (s *Store) Get(name string) ([]byte, bool) {
	if s == nil || name == "" {
		return nil, false
	}
	file := filepath.Join(s.Dir, name)
	info, err := os.Stat(file)
	if err != nil || info.Size() > maxEntry {
		return nil, false
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, false
	}
	sum, body, _ := strings.Cut(string(data), "\n")
	if sum != Digest(body) {
		return nil, false
	}
	now := time.Now()
	_ = os.Chtimes(file, now, now) // if it stays old it goes earlier
	return []byte(body), true
}

// Put keeps an entry. What cannot be kept is computed anew the next time.
func (s *Store) Put(name string, data []byte) {
	if s == nil || name == "" || len(data) > maxEntry {
		return
	}
	_ = s.write(name, append([]byte(Digest(string(data))+"\n"), data...)) // see above
}

// write makes a file appear whole.
func (s *Store) write(name string, data []byte) error {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(s.Dir, "new-*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), filepath.Join(s.Dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// Trim removes the oldest entries beyond the bounds.
func (s *Store) Trim() {
	if s == nil {
		return
	}
	list, err := os.ReadDir(s.Dir)
	if err != nil {
		return
	}
	var entries []fs.FileInfo
	for _, e := range list {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			entries = append(entries, info)
		}
	}
	slices.SortFunc(entries, func(a, b fs.FileInfo) int {
		return cmp.Or(b.ModTime().Compare(a.ModTime()), strings.Compare(a.Name(), b.Name()))
	})
	bytes := int64(0)
	for i, info := range entries {
		bytes += info.Size()
		if s.Entries > 0 && i >= s.Entries || s.Bytes > 0 && bytes > s.Bytes {
			_ = os.Remove(filepath.Join(s.Dir, info.Name())) // another process may have been faster
		}
	}
}

// Digest returns a name for all of its parts: hexadecimal SHA-256.
func Digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Program tells one build of the program from another.
func Program() string {
	name, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(name)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano())
}

// Listing tells one content of a folder from another by sizes and times.
func Listing(dir string) string {
	h := sha256.New()
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // a folder that cannot be read holds nothing
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			fmt.Fprintf(h, "%q %d %d\n", name, info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
	return hex.EncodeToString(h.Sum(nil))
}
