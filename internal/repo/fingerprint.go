package repo

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/go-git/go-git/v5"
	"golang.org/x/sync/errgroup"

	"hearth/internal/manifest"
)

// Fingerprint tells one state of a repository from another.
type Fingerprint struct {
	Root string // absolute
	// Sum is over all that Open reads: each file's path and content, and the
	// branch and remote of Git. It does not depend on where the root stands.
	Sum [sha256.Size]byte
	// Files are those that it covers.
	Files map[string]bool
}

// FingerprintOf takes the fingerprint of the repository that a folder belongs
// to, without understanding any of it. Errors are as of [Open].
func FingerprintOf(ctx context.Context, folder string) (*Fingerprint, error) {
	opened, err := openFolder(folder)
	if err != nil {
		return nil, err
	}
	f := &Fingerprint{Root: findRoot(opened), Files: map[string]bool{}}
	root, err := os.OpenRoot(f.Root)
	if err != nil {
		return nil, fmt.Errorf("opening the repository %s: %w", f.Root, err)
	}
	defer root.Close()
	files, problems, err := listFiles(ctx, root, manifest.Limits{})
	if err != nil {
		return nil, fmt.Errorf("reading the repository %s: %w", f.Root, err)
	}
	sums := make([][sha256.Size]byte, len(files))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	const batch = 64
	for from := 0; from < len(files); from += batch {
		group.Go(func() error {
			for i := from; i < min(from+batch, len(files)); i++ {
				sums[i] = sumOf(root, files[i])
			}
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all := sha256.New()
	fmt.Fprintf(all, "%q %q\n", filepath.Base(f.Root), identity(f.Root))
	for i, file := range files {
		f.Files[file.Path] = true
		fmt.Fprintf(all, "%q %d %q %x\n", file.Path, file.Size, file.Target, sums[i])
	}
	for _, p := range problems {
		target, _ := root.Readlink(p.Place.File)
		fmt.Fprintf(all, "%q %q\n", p.Error(), target)
	}
	all.Sum(f.Sum[:0])
	return f, nil
}

// SumOf returns the hash of one more file below the root; zero where it cannot
// be read.
func (f *Fingerprint) SumOf(name string) (sum [sha256.Size]byte) {
	root, err := os.OpenRoot(f.Root)
	if err != nil {
		return sum
	}
	defer root.Close()
	data, err := manifest.Read(root, name)
	if err != nil {
		return sum
	}
	return sha256.Sum256(data)
}

// sumOf hashes a file's content, and where a link leads. Of a file that is too
// large to be read only its size counts.
func sumOf(root *os.Root, f manifest.File) (sum [sha256.Size]byte) {
	h := sha256.New()
	if f.Link {
		target, _ := root.Readlink(f.Path)
		fmt.Fprintf(h, "%q\n", target)
	}
	if f.Size > manifest.MaxSize || f.Folder {
		h.Sum(sum[:0])
		return sum
	}
	file, err := root.Open(f.Path)
	if err != nil {
		return sum
	}
	defer file.Close()
	if _, err := io.Copy(h, io.LimitReader(file, manifest.MaxSize+1)); err != nil {
		return sum
	}
	h.Sum(sum[:0])
	return sum
}

// identity is what Git tells beside the files: the branch, and the remote.
func identity(root string) [2]string {
	repository, err := git.PlainOpenWithOptions(root, &git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if errors.Is(err, git.ErrRepositoryNotExists) {
		return [2]string{}
	}
	if err != nil {
		return [2]string{err.Error()}
	}
	origin := originURL(repository)
	head, err := repository.Head()
	if err != nil || !head.Name().IsBranch() {
		return [2]string{"", origin}
	}
	return [2]string{head.Name().Short(), origin}
}
