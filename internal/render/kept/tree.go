package kept

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/kustomize/api/konfig"

	"hearth/internal/manifest"
	"hearth/internal/repo"
)

// tree knows the content of a repository's folders by digests.
type tree struct {
	program string
	root    string
	still   bool            // nothing changes the files
	files   []manifest.File // ordered by path
	sums    map[string]string
	folders map[string][]string // the files of each, not below it
}

func newTree(ctx context.Context, r *repo.Repository) *tree {
	t := &tree{program: Program(), root: r.Root, files: r.Files(), sums: map[string]string{}, folders: map[string][]string{}}
	slices.SortFunc(t.files, func(a, b manifest.File) int { return strings.Compare(a.Path, b.Path) })
	sums := hashAll(ctx, r.Root, t.files)
	for i, f := range t.files {
		t.sums[f.Path] = sums[i]
		t.folders[path.Dir(f.Path)] = append(t.folders[path.Dir(f.Path)], f.Path)
	}
	return t
}

// hashAll hashes files side by side.
func hashAll(ctx context.Context, dir string, files []manifest.File) []string {
	sums := make([]string, len(files))
	root, err := os.OpenRoot(dir)
	if err != nil {
		return sums
	}
	defer root.Close()
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	const batch = 64
	for from := 0; from < len(files) && ctx.Err() == nil; from += batch {
		group.Go(func() error {
			for i := from; i < min(from+batch, len(files)); i++ {
				sums[i] = hashFile(root, files[i])
			}
			return nil
		})
	}
	_ = group.Wait() // none fails
	return sums
}

// hashFile hashes a file and where a link leads; "" where it cannot be read, so
// that nothing is kept of what it has a part in.
func hashFile(root *os.Root, f manifest.File) string {
	if f.Folder || f.Size > manifest.MaxSize {
		return ""
	}
	file, err := root.Open(f.Path)
	if err != nil {
		return ""
	}
	defer file.Close()
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", f.Target)
	if n, err := io.Copy(h, io.LimitReader(file, manifest.MaxSize+1)); err != nil || n > manifest.MaxSize {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// under returns the files that stand in and below a folder.
func (t *tree) under(folder string) []manifest.File {
	if folder == "." {
		return t.files
	}
	first := func(prefix string) int {
		i, _ := slices.BinarySearchFunc(t.files, prefix, func(f manifest.File, p string) int { return strings.Compare(f.Path, p) })
		return i
	}
	return t.files[first(folder+"/"):first(folder+"0")] // 0 follows the slash
}

// below names all that stands in and below a folder.
func (t *tree) below(folder string) string {
	var parts []string
	for _, f := range t.under(folder) {
		parts = append(parts, f.Path, t.sums[f.Path])
	}
	return Digest(parts...)
}

// names names the files that stand in and below a folder, whatever they hold.
func (t *tree) names(folder string) string {
	var parts []string
	for _, f := range t.under(folder) {
		parts = append(parts, f.Path)
	}
	return Digest(parts...)
}

// in names all that stands in a folder, but not below it.
func (t *tree) in(folder string) string {
	var parts []string
	for _, name := range t.folders[folder] {
		parts = append(parts, name, t.sums[name])
	}
	return Digest(parts...)
}

// hasAll reports whether all folders have files.
func (t *tree) hasAll(folders []string) bool {
	return !slices.ContainsFunc(folders, func(folder string) bool { return len(t.folders[folder]) == 0 })
}

// foldersOf returns the folders that a build of a folder read from; ok is false
// where it read what is no file of the repository.
func (t *tree) foldersOf(dir string, read []string) (folders []string, ok bool) {
	for _, name := range read {
		folder := path.Dir(name)
		switch {
		case strings.ContainsAny(folder, " \t\n"):
			return nil, false
		case t.sums[name] != "":
			folders = append(folders, folder)
		case folder == dir && !t.exists(name):
			// Flux makes the kustomization of a folder that has none.
			folders = append(folders, t.searched(dir)...)
		default:
			return nil, false
		}
	}
	slices.Sort(folders)
	return slices.Compact(folders), true
}

func (t *tree) exists(name string) bool {
	_, err := os.Lstat(filepath.Join(t.root, filepath.FromSlash(name)))
	return !errors.Is(err, fs.ErrNotExist)
}

// searched returns the folders in which Flux looks for objects where a folder
// has no kustomization: all below, down to those that have one.
func (t *tree) searched(dir string) []string {
	var folders, own []string
	for _, f := range t.under(dir) {
		folder := path.Dir(f.Path)
		if slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(f.Path)) {
			own = append(own, folder)
		}
		folders = append(folders, folder)
	}
	return slices.DeleteFunc(folders, func(folder string) bool {
		return slices.ContainsFunc(own, func(o string) bool { return strings.HasPrefix(folder, o+"/") })
	})
}

// settled reports whether files are what they were when the process began, so
// that what was parsed, hashed and built of them is of one content.
func (t *tree) settled(files []string) bool {
	if t.still {
		return true
	}
	return !slices.ContainsFunc(files, func(name string) bool {
		info, err := os.Stat(filepath.Join(t.root, filepath.FromSlash(name)))
		return err == nil && !info.ModTime().Before(started)
	})
}
