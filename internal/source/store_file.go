package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// PutFile stores a single file, of at most limit bytes, under the last element
// of its name.
func (s *Store) PutFile(ctx context.Context, name, revision string, r io.Reader, limit int64) (Artifact, error) {
	base := filepath.Base(filepath.ToSlash(name))
	if base == "." || base == ".." || strings.ContainsAny(base, `/\`) || base == "" {
		return Artifact{}, fmt.Errorf("store the file %q: this is no file name", name)
	}
	a, err := s.putFile(ctx, base, r, limit)
	if err != nil {
		return Artifact{}, fmt.Errorf("store the file %s: %w", base, err)
	}
	a.Revision = revision
	return a, nil
}

func (s *Store) putFile(ctx context.Context, base string, r io.Reader, limit int64) (Artifact, error) {
	work, err := os.MkdirTemp(filepath.Join(s.root, workFolder), "blob-")
	if err != nil {
		return Artifact{}, err
	}
	defer os.RemoveAll(work)
	f, err := os.OpenFile(filepath.Join(work, base), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o444)
	if err != nil {
		return Artifact{}, err
	}
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(f, hash), io.LimitReader(contextReader{ctx, r}, limit+1))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return Artifact{}, err
	}
	if size > limit {
		return Artifact{}, fmt.Errorf("it is larger than %d bytes", limit)
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	a := Artifact{Digest: "sha256:" + sum, Size: size, Time: time.Now()}
	if _, err := s.install(work, filepath.Join(s.root, blobFolder, sum)); err != nil {
		return Artifact{}, err
	}
	return a, nil
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// readAll reads to the end into a buffer of the expected size.
func readAll(r io.Reader, buf []byte) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, max(512, len(buf)))
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func sortEntries(entries []fs.DirEntry) {
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
}
