package oci

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Bounds on what is unpacked: those of the store.
var unpackBounds = bounds{files: 100_000, bytes: 1 << 30, depth: 64}

type bounds struct {
	files, depth int
	bytes        int64
}

// Unpack writes the regular files of a tar.gz below a folder. Links and devices
// are left out; a path that leaves the archive is an error, and so is more
// than the store would keep.
func Unpack(ctx context.Context, archive io.Reader, dir string) error {
	return unpackBounds.unpack(ctx, archive, dir)
}

func (b bounds) unpack(ctx context.Context, archive io.Reader, dir string) error {
	zip, err := gzip.NewReader(archive)
	if err != nil {
		return fmt.Errorf("it is no tar.gz: %w", err)
	}
	defer zip.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	// Also what lies between the files counts, such as their long names.
	reader := tar.NewReader(io.LimitReader(zip, 2*b.bytes))
	for entries, left := 0, b.bytes; ; entries++ {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if left -= header.Size; entries >= b.files || left < 0 {
			return fmt.Errorf("it holds more than %d entries or %d MiB", b.files, b.bytes>>20)
		}
		name, err := b.local(header.Name)
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if err := write(root, name, header, reader); err != nil {
			return err
		}
	}
}

// local returns a name as a path below the archive's root.
func (b bounds) local(name string) (string, error) {
	clean := path.Clean(name)
	if !filepath.IsLocal(filepath.FromSlash(clean)) || strings.ContainsAny(name, "\\\x00") {
		return "", fmt.Errorf("it names the path %q, which leaves it", shortened(name))
	}
	if strings.Count(clean, "/") > b.depth {
		return "", fmt.Errorf("it nests folders deeper than %d", b.depth)
	}
	return filepath.FromSlash(clean), nil
}

func write(root *os.Root, name string, header *tar.Header, content io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if header.Mode&0o100 != 0 {
		mode = 0o755
	}
	file, err := root.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

// shortened cuts what a stranger wrote.
func shortened(text string) string {
	if len(text) > 100 {
		return text[:100] + "…"
	}
	return text
}
