package ocisource

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/fluxcd/pkg/sourceignore"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"

	"hearth/internal/source"
)

// Bounds on an artifact that is unpacked.
const (
	maxArchive  = 64 << 20
	maxUnpacked = 256 << 20
	maxFiles    = 50000
)

// store puts what was fetched into the store: a chart or a copied layer as it
// is, and everything else unpacked.
func (r *reconciler) store(ctx context.Context, obj *sourcev1.OCIRepository, req source.ChartRequest, result *source.ChartResult) (source.Artifact, error) {
	revision := func(string) string { return result.Revision }
	info, err := os.Stat(result.Path)
	if err != nil {
		return source.Artifact{}, fmt.Errorf("storing the artifact: %w", err)
	}
	if info.IsDir() {
		return r.o.Store.PutDir(ctx, result.Path, source.DirOptions{Ignore: ignore(obj), Revision: revision})
	}
	if !req.NoChart || obj.GetLayerOperation() == sourcev1.OCILayerCopy {
		file, err := os.Open(result.Path)
		if err != nil {
			return source.Artifact{}, fmt.Errorf("storing the artifact: %w", err)
		}
		defer file.Close()
		name := strings.TrimPrefix(result.Digest, "sha256:") + ".tgz"
		return r.o.Store.PutFile(ctx, name, result.Revision, file, maxArchive)
	}
	dir, err := os.MkdirTemp("", "hearth-layer-*")
	if err != nil {
		return source.Artifact{}, fmt.Errorf("unpacking the artifact: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := unpack(ctx, result.Path, dir); err != nil {
		return source.Artifact{}, fmt.Errorf("unpacking the artifact: %w", err)
	}
	return r.o.Store.PutDir(ctx, dir, source.DirOptions{Ignore: ignore(obj), Revision: revision})
}

// ignore leaves out what spec.ignore names, and nothing where that is not set.
func ignore(obj *sourcev1.OCIRepository) func(string, bool) bool {
	if obj.Spec.Ignore == nil {
		return nil
	}
	matcher := sourceignore.NewMatcher(sourceignore.ReadPatterns(strings.NewReader(*obj.Spec.Ignore), nil))
	return func(rel string, isDir bool) bool {
		return matcher.Match(strings.Split(filepath.ToSlash(rel), "/"), isDir)
	}
}

// unpack writes the regular files of a tar.gz below a folder. What would leave
// the folder, or is no file, is left out or refused.
func unpack(ctx context.Context, archive, dir string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	zip, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("the layer is no tar.gz: %w", err)
	}
	defer zip.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	reader, left := tar.NewReader(zip), int64(maxUnpacked)
	for n := 0; ; n++ {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n > maxFiles || left < header.Size {
			return fmt.Errorf("it holds more than %d files or %d MiB", maxFiles, maxUnpacked>>20)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		name := filepath.Clean(filepath.FromSlash(header.Name))
		if !filepath.IsLocal(name) {
			return fmt.Errorf("it names the path %q, which leaves it", header.Name)
		}
		left -= header.Size
		if err := write(root, name, io.LimitReader(reader, header.Size)); err != nil {
			return err
		}
	}
}

func write(root *os.Root, name string, content io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}
