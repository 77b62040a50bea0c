// Package gittest serves Git repositories to tests, over http and ssh on
// loopback, with no program beside the test: real requests, real packs. A test
// may count what is asked for, and spoil what is answered.
package gittest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/memory"
)

// Repository holds objects and references. Its methods may be called while it
// is served.
type Repository struct {
	t testing.TB

	mu      sync.Mutex
	storage *memory.Storage
	refs    map[string]plumbing.Hash
}

// NewRepository returns an empty repository.
func NewRepository(t testing.TB) *Repository {
	return &Repository{t: t, storage: memory.NewStorage(), refs: map[string]plumbing.Hash{}}
}

// Entry is what a path holds: a file unless Mode says otherwise.
type Entry struct {
	Mode    filemode.FileMode
	Content string
	Commit  string // of a submodule
}

// Files are a commit's files by their path.
type Files map[string]Entry

// Text is a plain file, Program one that may be executed, Link a symbolic link
// and Module a submodule.
func Text(content string) Entry    { return Entry{Mode: filemode.Regular, Content: content} }
func Program(content string) Entry { return Entry{Mode: filemode.Executable, Content: content} }
func Link(target string) Entry     { return Entry{Mode: filemode.Symlink, Content: target} }
func Module(commit string) Entry   { return Entry{Mode: filemode.Submodule, Commit: commit} }

// Object stores an object as it is, right or wrong.
func (r *Repository) Object(kind plumbing.ObjectType, content string) plumbing.Hash {
	r.t.Helper()
	o := &plumbing.MemoryObject{}
	o.SetType(kind)
	if _, err := o.Write([]byte(content)); err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	hash, err := r.storage.SetEncodedObject(o)
	if err != nil {
		r.t.Fatal(err)
	}
	return hash
}

// Tree stores files.
func (r *Repository) Tree(files Files) plumbing.Hash {
	r.t.Helper()
	below := map[string]Files{}
	var tree object.Tree
	for _, name := range slices.Sorted(maps.Keys(files)) {
		entry := files[name]
		first, rest, nested := strings.Cut(name, "/")
		if nested {
			if below[first] == nil {
				below[first] = Files{}
			}
			below[first][rest] = entry
			continue
		}
		hash := plumbing.NewHash(entry.Commit)
		if entry.Mode != filemode.Submodule {
			hash = r.Object(plumbing.BlobObject, entry.Content)
		}
		tree.Entries = append(tree.Entries, object.TreeEntry{Name: name, Mode: entry.Mode, Hash: hash})
	}
	for name, files := range below {
		tree.Entries = append(tree.Entries, object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: r.Tree(files)})
	}
	slices.SortFunc(tree.Entries, func(a, b object.TreeEntry) int { return strings.Compare(sortName(a), sortName(b)) })
	return r.Object(plumbing.TreeObject, TreeContent(tree.Entries))
}

func sortName(e object.TreeEntry) string {
	if e.Mode == filemode.Dir {
		return e.Name + "/"
	}
	return e.Name
}

// TreeContent writes a tree, without asking whether its names are right.
func TreeContent(entries []object.TreeEntry) string {
	var text strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&text, "%o %s\x00%s", e.Mode, e.Name, e.Hash[:])
	}
	return text.String()
}

// Sign makes a signature of what is to be signed; nil makes none.
type Sign func(payload []byte) string

// Commit stores a commit of files on top of others.
func (r *Repository) Commit(files Files, message string, sign Sign, parents ...string) string {
	r.t.Helper()
	return r.CommitTree(r.Tree(files), message, sign, parents...)
}

// CommitTree stores a commit of a tree.
func (r *Repository) CommitTree(tree plumbing.Hash, message string, sign Sign, parents ...string) string {
	r.t.Helper()
	const who = "owner <owner@example.org> 1700000000 +0000"
	header := "tree " + tree.String() + "\n"
	for _, parent := range parents {
		header += "parent " + parent + "\n"
	}
	header += "author " + who + "\ncommitter " + who + "\n"
	payload := header + "\n" + message + "\n"
	if sign != nil {
		signature := strings.TrimSuffix(sign([]byte(payload)), "\n")
		payload = header + "gpgsig " + strings.ReplaceAll(signature, "\n", "\n ") + "\n\n" + message + "\n"
	}
	return r.Object(plumbing.CommitObject, payload).String()
}

// TagObject stores an annotated tag of a commit.
func (r *Repository) TagObject(name, commit string, sign Sign) string {
	r.t.Helper()
	payload := "object " + commit + "\ntype commit\ntag " + name + "\ntagger owner <owner@example.org> 1700000000 +0000\n\n" + name + "\n"
	if sign != nil {
		payload += sign([]byte(payload))
	}
	return r.Object(plumbing.TagObject, payload).String()
}

// Set points a reference at an object; an empty hash removes it.
func (r *Repository) Set(ref, hash string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if hash == "" {
		delete(r.refs, ref)
		return
	}
	r.refs[ref] = plumbing.NewHash(hash)
}
