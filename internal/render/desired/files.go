package desired

import (
	"os"
	"sync"

	"hearth/internal/manifest"
	"hearth/internal/repo"
)

// files keeps the parsed files of a repository.
type files struct {
	root string
	mu   sync.Mutex
	docs map[string][]*manifest.Document
}

func newFiles(r *repo.Repository) *files {
	f := &files{root: r.Root, docs: map[string][]*manifest.Document{}}
	for _, d := range r.Documents() {
		f.docs[d.File] = append(f.docs[d.File], d)
	}
	return f
}

// of returns the documents of a file; none where it cannot be read, which is
// reported elsewhere.
func (f *files) of(name string) []*manifest.Document {
	f.mu.Lock()
	defer f.mu.Unlock()
	docs, ok := f.docs[name]
	if !ok && name != "" {
		docs = f.read(name)
		f.docs[name] = docs
	}
	return docs
}

func (f *files) read(name string) []*manifest.Document {
	root, err := os.OpenRoot(f.root)
	if err != nil {
		return nil
	}
	defer root.Close()
	data, err := manifest.Read(root, name)
	if err != nil {
		return nil
	}
	docs, _ := manifest.Parse(name, data)
	return docs
}
