package rule

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hearth/internal/repo"
)

const (
	// cacheFormat changes with what an entry means.
	cacheFormat = "1"
	// maxEntries is how many reports a cache keeps; the oldest go first.
	maxEntries = 64
	// maxEntry is the largest entry, in bytes, that is read.
	maxEntry = 64 << 20
)

// Cache keeps the reports of trees that were judged, one file each. It is safe
// for several processes, and whatever is wrong with it costs time only. All
// methods work on a nil cache, which keeps nothing.
type Cache struct {
	// Dir is its folder; it need not exist.
	Dir string
	// Charts is the folder of the charts that are at hand. A chart that comes or
	// goes there makes other reports.
	Charts string
}

// key names an entry, and the tree that its files stand in. The zero key is
// that of nothing.
type key struct {
	name string
	// tree is nil where the entry is of a commit.
	tree *repo.Fingerprint
}

// entry is what a cache's file holds.
type entry struct {
	Report *Report
	// Beside are the hashes of files that were read, though they are no files
	// of the repository: hidden ones, and such that Git ignores.
	Beside map[string]string
}

// key returns the key of a request.
func (c *Cache) key(ctx context.Context, q Request) (key, error) {
	if c == nil {
		return key{}, nil
	}
	tree, err := repo.FingerprintOf(ctx, q.Path)
	if err != nil {
		return key{}, err
	}
	since := ""
	if q.Since != "" {
		if since, err = repo.ResolveRevision(tree.Root, q.Since); err != nil {
			return key{}, err
		}
	}
	return key{c.name(q, hex.EncodeToString(tree.Sum[:]), since, q.Since), tree}, nil
}

// pastKey returns the key of the tree that a request compares with.
func (c *Cache) pastKey(q Request, root string) (key, error) {
	if c == nil {
		return key{}, nil
	}
	commit, err := repo.ResolveRevision(root, q.Since)
	if err != nil {
		return key{}, err
	}
	return key{name: c.name(q, "commit", commit, root)}, nil
}

// name hashes all that a report depends on beside the tree.
func (c *Cache) name(q Request, tree ...string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %q %q %q %q %q\n", cacheFormat, program(), q.Only, q.Cluster, tree, listing(c.Charts))
	for _, r := range q.Rules {
		fmt.Fprintf(h, "%s\n", r.Name)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// program tells one build of the program from another.
func program() string {
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

// listing tells one content of a folder from another by sizes and times.
func listing(dir string) string {
	h := sha256.New()
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // a folder that cannot be read holds no charts
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			fmt.Fprintf(h, "%q %d %d\n", name, info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
	return hex.EncodeToString(h.Sum(nil))
}

// get returns the report of a key, if there is a whole one that still holds.
func (c *Cache) get(k key) (*Report, bool) {
	if c == nil || k.name == "" {
		return nil, false
	}
	name := filepath.Join(c.Dir, k.name)
	info, err := os.Stat(name)
	if err != nil || info.Size() > maxEntry {
		return nil, false
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, false
	}
	sum, body, _ := strings.Cut(string(data), "\n")
	if sum != checksum([]byte(body)) {
		return nil, false
	}
	var e entry
	if json.Unmarshal([]byte(body), &e) != nil || e.Report == nil {
		return nil, false
	}
	for file, want := range e.Beside {
		if k.tree == nil || hash(k.tree, file) != want {
			return nil, false
		}
	}
	now := time.Now()
	_ = os.Chtimes(name, now, now) // it is young again; if not, it goes earlier
	return e.Report, true
}

// put keeps a report. What cannot be kept is found anew the next time.
func (c *Cache) put(k key, r *Report) {
	if c == nil || k.name == "" {
		return
	}
	e := entry{Report: r, Beside: map[string]string{}}
	if k.tree != nil {
		for _, file := range r.read {
			if !k.tree.Files[file] {
				e.Beside[file] = hash(k.tree, file)
			}
		}
	}
	body, err := json.Marshal(e)
	if err != nil {
		return
	}
	if c.write(k.name, append([]byte(checksum(body)+"\n"), body...)) == nil {
		c.evict()
	}
}

// write makes a file appear whole.
func (c *Cache) write(name string, data []byte) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(c.Dir, "new-*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), filepath.Join(c.Dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// evict removes the oldest entries beyond the bound.
func (c *Cache) evict() {
	list, err := os.ReadDir(c.Dir)
	if err != nil || len(list) <= maxEntries {
		return
	}
	type aged struct {
		name string
		time time.Time
	}
	var entries []aged
	for _, e := range list {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			entries = append(entries, aged{e.Name(), info.ModTime()})
		}
	}
	slices.SortFunc(entries, func(a, b aged) int { return cmp.Or(b.time.Compare(a.time), strings.Compare(a.name, b.name)) })
	for i := maxEntries; i < len(entries); i++ {
		_ = os.Remove(filepath.Join(c.Dir, entries[i].name)) // another process may have been faster
	}
}

func checksum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func hash(tree *repo.Fingerprint, file string) string {
	sum := tree.SumOf(file)
	return hex.EncodeToString(sum[:])
}
