package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/manifest/edit"
)

// Bounds of the copy of a working tree.
const (
	maxSpoiltFiles = 100_000
	maxSpoiltBytes = 1 << 30
)

// spoilt is a copy of a working tree, into which mistakes are made: the
// owner's own files are never touched.
type spoilt struct {
	dir   string
	root  *os.Root
	files map[string]*spoiltFile
}

// spoiltFile is a file with mistakes in it.
type spoiltFile struct {
	original []byte // nil where the file was not there
	mistakes []mistake
}

// mistake is one of a file's. Several may be in one file, and are taken back
// in any order: what is left is made again in the file as it was.
type mistake struct {
	name string
	make func(text []byte) ([]byte, error)
}

// spoil copies a working tree, in which mistakes can be made from then on.
// Call close when done.
func spoil(ctx context.Context, from string) (*spoilt, error) {
	dir, err := os.MkdirTemp("", "hearth-tree-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for a copy of the working tree: %w", err)
	}
	s := &spoilt{dir: dir, files: map[string]*spoiltFile{}}
	if err := copyTree(ctx, from, dir); err != nil {
		return nil, errors.Join(fmt.Errorf("copy the working tree %s: %w", from, err), s.close())
	}
	if s.root, err = os.OpenRoot(dir); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *spoilt) close() error {
	if s.root != nil {
		s.root.Close()
	}
	return os.RemoveAll(s.dir)
}

// copyTree copies files and the links between them. The history is not copied
// but pointed at.
func copyTree(ctx context.Context, from, to string) error {
	var files, bytes int64
	return filepath.WalkDir(from, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case rel == ".":
			return nil
		case rel == ".git" && entry.IsDir():
			if err := os.WriteFile(target, []byte("gitdir: "+name+"\n"), 0o600); err != nil {
				return err
			}
			return fs.SkipDir
		case entry.IsDir():
			return os.Mkdir(target, 0o700)
		case entry.Type()&fs.ModeSymlink != 0:
			return copyLink(name, target)
		case !entry.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files, bytes = files+1, bytes+int64(len(data))
		if files > maxSpoiltFiles || bytes > maxSpoiltBytes {
			return fmt.Errorf("it holds more than %d files or %d MiB", maxSpoiltFiles, maxSpoiltBytes>>20)
		}
		return os.WriteFile(target, data, 0o600)
	})
}

func copyLink(name, target string) error {
	link, err := os.Readlink(name)
	if err != nil {
		return err
	}
	return os.Symlink(link, target)
}

// spoil makes the mistake that a fault is, if it is one. A nil s has no tree,
// and is given no such fault.
func (s *spoilt) spoil(f domain.Fault) error {
	switch f.Kind {
	case domain.FaultEdit:
		return s.edit(f.Which)
	case domain.FaultOverlay:
		return s.lay(f.Which)
	}
	return nil
}

// mend takes back what a fault did to the tree.
func (s *spoilt) mend(f domain.Fault) error {
	switch f.Kind {
	case domain.FaultEdit:
		return s.takeBack(func(name string) bool { return name == f.Which })
	case domain.FaultOverlay:
		return s.unlay(f.Which)
	}
	return nil
}

// lay puts the files of a folder over the tree.
func (s *spoilt) lay(folder string) error {
	return fs.WalkDir(os.DirFS(folder), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		return s.replace("overlay "+folder+" "+name, name, func([]byte) ([]byte, error) { return data, nil })
	})
}

// unlay takes them away again.
func (s *spoilt) unlay(folder string) error {
	return s.takeBack(func(name string) bool { return strings.HasPrefix(name, "overlay "+folder+" ") })
}

// edit makes the mistake FILE:PATH=VALUE.
func (s *spoilt) edit(mistake string) error {
	file, rest, ok := strings.Cut(mistake, ":")
	spelled, value, set := cutValue(rest)
	if !ok || !set || file == "" {
		return fmt.Errorf("%q is not of the form FILE:PATH=VALUE", mistake)
	}
	path, err := edit.FieldPath(spelled)
	if err != nil {
		return err
	}
	return s.replace(mistake, file, func(text []byte) ([]byte, error) {
		docs, err := manifest.Parse(file, text)
		if err != nil {
			return nil, err
		}
		doc := documentWith(docs, path)
		if doc == nil {
			return nil, fmt.Errorf("%s: no document has %s", file, spelled)
		}
		_, there := doc.Find(path...)
		return applyAll(text, editsOf(file, doc.Line, path, value, there))
	})
}

// cutValue cuts PATH=VALUE at the first equals sign outside of brackets.
func cutValue(text string) (path, value string, ok bool) {
	depth := 0
	for i, r := range text {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		case '=':
			if depth == 0 {
				return text[:i], text[i+1:], true
			}
		}
	}
	return text, "", false
}

// editsOf sets a field to a value, or takes it out where the value is null.
// Lists and mappings are written as flow YAML; numbers and booleans are taken
// for such unless they are quoted. The edits follow each other.
func editsOf(file string, line int, path []string, value string, there bool) []edit.Edit {
	if value == "null" {
		return []edit.Edit{edit.Remove(file, line, path)}
	}
	if strings.HasPrefix(value, "[") || strings.HasPrefix(value, "{") && !strings.HasPrefix(value, "{{") {
		last := len(path) - 1
		insert := edit.Insert(file, line, path[:last], path[last]+": "+value)
		if there {
			return []edit.Edit{edit.Remove(file, line, path), insert}
		}
		return []edit.Edit{insert}
	}
	switch v := scalar(value).(type) {
	case int64:
		return []edit.Edit{edit.Set(file, line, path, int(v))}
	case bool:
		return []edit.Edit{edit.Set(file, line, path, v)}
	default:
		return []edit.Edit{edit.Set(file, line, path, fmt.Sprint(v))}
	}
}

// applyAll makes edits one after another.
func applyAll(text []byte, edits []edit.Edit) ([]byte, error) {
	var err error
	for _, e := range edits {
		if text, err = edit.Apply(text, e); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// documentWith returns the document that has most of a path, the first of
// them: a mistake may be a field that is not there yet.
func documentWith(docs []*manifest.Document, path []string) *manifest.Document {
	for n := len(path); n > 0; n-- {
		for _, doc := range docs {
			if _, ok := doc.Find(path[:n]...); ok {
				return doc
			}
		}
	}
	return nil
}

// replace makes a mistake in a file, and keeps what it held.
func (s *spoilt) replace(name, file string, makes func([]byte) ([]byte, error)) error {
	var text []byte
	if _, err := s.root.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		if text, err = manifest.Read(s.root, file); err != nil {
			return err
		}
	}
	after, err := makes(text)
	if err != nil {
		return err
	}
	if dir := filepath.Dir(file); dir != "." {
		if err := s.root.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if s.files[file] == nil {
		s.files[file] = &spoiltFile{original: text}
	}
	f := s.files[file]
	f.mistakes = append(f.mistakes, mistake{name, makes})
	return s.root.WriteFile(file, after, 0o600)
}

// takeBack takes mistakes back.
func (s *spoilt) takeBack(which func(name string) bool) error {
	var errs []error
	for file, f := range s.files {
		left := slices.DeleteFunc(slices.Clone(f.mistakes), func(m mistake) bool { return which(m.name) })
		if len(left) == len(f.mistakes) {
			continue
		}
		f.mistakes = left
		errs = append(errs, s.write(file, f))
	}
	return errors.Join(errs...)
}

// write writes a file as it was, with the mistakes that are left in it.
func (s *spoilt) write(file string, f *spoiltFile) error {
	if len(f.mistakes) == 0 {
		delete(s.files, file)
		if f.original == nil {
			return s.root.Remove(file)
		}
	}
	text := f.original
	for _, m := range f.mistakes {
		var err error
		if text, err = m.make(text); err != nil {
			return fmt.Errorf("make the mistake %s in %s again: %w", m.name, file, err)
		}
	}
	return s.root.WriteFile(file, text, 0o600)
}

// spoils reports whether faults make mistakes in the tree.
func spoils(faults []domain.Fault) bool {
	for _, f := range faults {
		if f.Kind == domain.FaultEdit || f.Kind == domain.FaultOverlay {
			return true
		}
	}
	return false
}
