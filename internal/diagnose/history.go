package diagnose

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"hearth/internal/domain"
)

// The bounds of a look into the past.
const (
	maxCommits      = 20_000
	maxBlamed       = 1 << 20 // of a file, in bytes
	historyDeadline = 5 * time.Second
)

// Commit is the commit that brought a line. It has no author: who is to blame
// is not what one wants to know at midnight.
type Commit struct {
	Hash    string    `json:"hash,omitempty"`
	Time    time.Time `json:"time,omitzero"`
	Subject string    `json:"subject,omitempty"`
	// Uncommitted says that the line stands in the working tree only.
	Uncommitted bool `json:"uncommitted,omitempty"`
}

// History tells which commit of a repository brought a line. It does not
// follow a file to the name that it had before.
type History struct {
	root   string // of the homelab's repository
	prefix string // of that below Git's
	repo   *git.Repository
	left   time.Duration
	known  map[domain.Place]*Commit
}

// OpenHistory opens the history of a folder; nil where it is not under Git.
func OpenHistory(root string) *History {
	r, err := git.PlainOpenWithOptions(root, &git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if err != nil {
		return nil
	}
	tree, err := r.Worktree()
	if err != nil {
		return nil
	}
	prefix, err := filepath.Rel(tree.Filesystem.Root(), root)
	if err != nil {
		return nil
	}
	return &History{root: root, prefix: filepath.ToSlash(prefix), repo: r, left: historyDeadline, known: map[domain.Place]*Commit{}}
}

// Commit returns the commit that brought the line at a place; nil where that
// is not known, or finding it out takes too long: all look-ups of a history
// share a few seconds.
func (h *History) Commit(ctx context.Context, place domain.Place) *Commit {
	if place.Line == 0 || h.left <= 0 {
		return nil
	}
	if c, known := h.known[place]; known {
		return c
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, h.left)
	defer cancel()
	c := h.find(ctx, place)
	h.left -= time.Since(began)
	h.known[place] = c
	return c
}

func (h *History) find(ctx context.Context, place domain.Place) *Commit {
	head, err := h.repo.Head()
	if err != nil {
		return nil
	}
	commit, err := h.repo.CommitObject(head.Hash())
	if err != nil {
		return nil
	}
	path := place.File
	if h.prefix != "." {
		path = h.prefix + "/" + place.File
	}
	now, ok := h.workingLines(place.File)
	if !ok || place.Line > len(now) {
		return nil
	}
	committed, _, ok := linesAt(commit, path)
	if !ok {
		return &Commit{Uncommitted: true}
	}
	line, ok := follow(now, committed, place.Line-1)
	if !ok {
		return &Commit{Uncommitted: true}
	}
	return walk(ctx, commit, path, committed, line)
}

// walk goes back to the oldest commit of an unbroken line of descent that has
// the line. Of a merge the first parent that has it is followed.
func walk(ctx context.Context, commit *object.Commit, path string, lines []string, line int) *Commit {
	_, blob, ok := entryAt(commit, path)
	for n := 0; ok && n < maxCommits && ctx.Err() == nil; n++ {
		older, olderLines, olderBlob, olderLine := (*object.Commit)(nil), lines, blob, line
		for i := range commit.NumParents() {
			parent, err := commit.Parent(i)
			if err != nil {
				return nil // a shallow clone: what is older is not known
			}
			file, hash, has := entryAt(parent, path)
			if !has {
				continue
			}
			if hash == blob {
				older = parent
				break
			}
			was, read := linesOf(file)
			if !read {
				continue
			}
			if at, same := follow(lines, was, line); same {
				older, olderLines, olderBlob, olderLine = parent, was, hash, at
				break
			}
		}
		if older == nil {
			subject, _, _ := strings.Cut(commit.Message, "\n")
			return &Commit{Hash: commit.Hash.String(), Time: commit.Committer.When, Subject: Clean(subject)}
		}
		commit, lines, blob, line = older, olderLines, olderBlob, olderLine
	}
	return nil
}

// follow returns where a line of a later text stands in an earlier one; ok is
// false where the earlier text lacks it.
func follow(later, earlier []string, line int) (at int, ok bool) {
	first := 0
	for first < len(later) && first < len(earlier) && later[first] == earlier[first] {
		first++
	}
	if line < first {
		return line, true
	}
	last := 0
	for last < len(later)-first && last < len(earlier)-first && later[len(later)-1-last] == earlier[len(earlier)-1-last] {
		last++
	}
	if back := len(later) - 1 - line; back < last {
		return len(earlier) - 1 - back, true
	}
	at, ok = common(later[first:len(later)-last], earlier[first:len(earlier)-last], line-first)
	return at + first, ok
}

// maxTable bounds the comparison of two texts that differ all over.
const maxTable = 4 << 20

// common finds a line of a in b by their longest common subsequence.
func common(a, b []string, line int) (at int, ok bool) {
	if len(a)*len(b) > maxTable {
		return 0, false
	}
	width := len(b) + 1
	table := make([]int32, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				table[i*width+j] = table[(i+1)*width+j+1] + 1
			} else {
				table[i*width+j] = max(table[(i+1)*width+j], table[i*width+j+1])
			}
		}
	}
	for i, j := 0, 0; i <= line && j < len(b); {
		switch {
		case a[i] == b[j]:
			if i == line {
				return j, true
			}
			i, j = i+1, j+1
		case table[(i+1)*width+j] >= table[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	return 0, false
}

func (h *History) workingLines(file string) ([]string, bool) {
	root, err := os.OpenRoot(h.root)
	if err != nil {
		return nil, false
	}
	defer root.Close()
	f, err := root.Open(filepath.FromSlash(file))
	if err != nil {
		return nil, false
	}
	defer f.Close()
	return readLines(f)
}

func linesAt(c *object.Commit, path string) ([]string, plumbing.Hash, bool) {
	file, hash, ok := entryAt(c, path)
	if !ok {
		return nil, hash, false
	}
	lines, ok := linesOf(file)
	return lines, hash, ok
}

func entryAt(c *object.Commit, path string) (*object.File, plumbing.Hash, bool) {
	tree, err := c.Tree()
	if err != nil {
		return nil, plumbing.ZeroHash, false
	}
	file, err := tree.File(path)
	if err != nil {
		return nil, plumbing.ZeroHash, false
	}
	return file, file.Hash, true
}

func linesOf(file *object.File) ([]string, bool) {
	r, err := file.Reader()
	if err != nil {
		return nil, false
	}
	defer r.Close()
	return readLines(r)
}

func readLines(r io.Reader) ([]string, bool) {
	data, err := io.ReadAll(io.LimitReader(r, maxBlamed+1))
	if err != nil || len(data) > maxBlamed {
		return nil, false
	}
	return strings.Split(string(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))), "\n"), true
}
