package manifest

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"hearth/internal/domain"
)

// Limits bound a walk through a folder. Zero fields take the defaults.
type Limits struct {
	Files int // at most; 50,000
	Depth int // of folders; 64
}

// File is a file that a walk has found.
type File struct {
	Path string // relative to the root, with forward slashes
	Size int64  // in bytes
	// Link says that it is a symbolic link to a file below the root, or to a
	// folder: then Folder is set, too.
	Link, Folder bool
	// Target is what a symbolic link says, relative to its own folder.
	Target string
}

// Files lists the regular files below folder of root, ordered by path.
// Folders behind symbolic links are listed and not entered, and a link that leads out of
// the root or nowhere is a problem, not an error. A path that skip reports is left out; a
// folder is left out with everything in it. Skip may be nil.
func Files(ctx context.Context, root *os.Root, folder string, limits Limits, skip func(path string, dir bool) bool) ([]File, []*Problem, error) {
	w := fileWalk{ctx: ctx, root: root, limits: limits, skip: skip}
	if w.limits.Files == 0 {
		w.limits.Files = 50_000
	}
	if w.limits.Depth == 0 {
		w.limits.Depth = 64
	}
	if folder == "" {
		folder = "."
	}
	if err := fs.WalkDir(root.FS(), folder, w.visit); err != nil {
		return nil, nil, fmt.Errorf("reading the files of %s: %w", path.Join(root.Name(), folder), err)
	}
	return w.files, w.problems, nil
}

type fileWalk struct {
	ctx      context.Context
	root     *os.Root
	limits   Limits
	skip     func(path string, dir bool) bool
	files    []File
	problems []*Problem
}

func (w *fileWalk) visit(name string, entry fs.DirEntry, err error) error {
	if ctxErr := w.ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	if err != nil {
		if name == "." || entry == nil {
			return err
		}
		w.problem(name, "cannot be read: %s", cause(err))
		return fs.SkipDir
	}
	if name != "." && w.skip != nil && w.skip(name, entry.IsDir()) {
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	switch {
	case entry.IsDir():
		if strings.Count(name, "/") >= w.limits.Depth {
			w.problem(name, "folders nested deeper than %d levels are not read", w.limits.Depth)
			return fs.SkipDir
		}
		return nil
	case entry.Type()&fs.ModeSymlink != 0:
		return w.link(name)
	case !entry.Type().IsRegular():
		return nil
	}
	info, err := entry.Info()
	if err != nil {
		w.problem(name, "cannot be read: %s", cause(err))
		return nil
	}
	return w.add(File{Path: name, Size: info.Size()})
}

func (w *fileWalk) link(name string) error {
	info, err := w.root.Stat(name)
	if err != nil {
		w.problem(name, "the symbolic link leads out of the repository, or nowhere")
		return nil
	}
	target, err := w.root.Readlink(name)
	if err != nil {
		w.problem(name, "cannot be read: %s", cause(err))
		return nil
	}
	f := File{Path: name, Link: true, Folder: info.IsDir(), Target: filepath.ToSlash(target)}
	switch {
	case info.Mode().IsRegular():
		f.Size = info.Size()
		return w.add(f)
	case f.Folder:
		return w.add(f)
	}
	return nil
}

func (w *fileWalk) add(f File) error {
	if len(w.files) >= w.limits.Files {
		return fmt.Errorf("more than %d files", w.limits.Files)
	}
	w.files = append(w.files, f)
	return nil
}

func (w *fileWalk) problem(file, format string, args ...any) {
	w.problems = append(w.problems, problemf(file, 0, format, args...))
}

// Read returns a file below root. One that leads out of the root or is larger
// than MaxSize is a *Problem.
func Read(root *os.Root, name string) ([]byte, error) {
	info, err := root.Stat(name)
	if err != nil {
		return nil, unreadable(name, err)
	}
	if !info.Mode().IsRegular() { // opening a pipe would block
		return nil, problemf(name, 0, "is no regular file")
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, unreadable(name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, unreadable(name, err)
	}
	if len(data) > MaxSize {
		return nil, problemf(name, 0, "the file is larger than %d bytes and is not read", MaxSize)
	}
	return data, nil
}

func unreadable(name string, err error) *Problem {
	return &Problem{Place: domain.Place{File: name}, Message: "cannot be read: " + cause(err)}
}

// cause leaves out the path that file errors repeat.
func cause(err error) string {
	if pathErr, ok := err.(*fs.PathError); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}
