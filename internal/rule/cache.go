package rule

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"hearth/internal/render/kept"
	"hearth/internal/repo"
)

const (
	// cacheFormat changes with what an entry means.
	cacheFormat = "1"
	// maxEntries is how many reports a cache keeps; the oldest go first.
	maxEntries = 64
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
	fmt.Fprintf(h, "%s %q %q %q %q %q\n", cacheFormat, kept.Program(), q.Only, q.Cluster, tree, kept.Listing(c.Charts))
	for _, r := range q.Rules {
		fmt.Fprintf(h, "%s\n", r.Name)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// store is the folder of the cache's files.
func (c *Cache) store() *kept.Store { return &kept.Store{Dir: c.Dir, Entries: maxEntries} }

// get returns the report of a key, if there is a whole one that still holds.
func (c *Cache) get(k key) (*Report, bool) {
	if c == nil || k.name == "" {
		return nil, false
	}
	data, ok := c.store().Get(k.name)
	if !ok {
		return nil, false
	}
	var e entry
	if json.Unmarshal(data, &e) != nil || e.Report == nil {
		return nil, false
	}
	for file, want := range e.Beside {
		if k.tree == nil || hash(k.tree, file) != want {
			return nil, false
		}
	}
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
	c.store().Put(k.name, body)
	c.store().Trim()
}

func hash(tree *repo.Fingerprint, file string) string {
	sum := tree.SumOf(file)
	return hex.EncodeToString(sum[:])
}
