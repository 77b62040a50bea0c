package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"sync"

	"github.com/fluxcd/pkg/sourceignore"
	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"
)

// downloads is how many objects are fetched at a time.
const downloads = 16

// Download writes the objects of a listing below a folder, which must be
// empty, and the bucket's .sourceignore beside them. It returns the index of
// what it got: an object may have vanished or changed since it was listed.
func (b *Bucket) Download(ctx context.Context, listing *Listing, dir string) (Index, error) {
	files, err := layOut(listing.Index)
	if err == nil {
		var got Index
		if got, err = b.download(ctx, listing, files, dir); err == nil {
			return got, nil
		}
	}
	return nil, fmt.Errorf("fetch from bucket '%s' failed: %w", b.remote.Name, err)
}

// layOut returns the path of each object's file, by its key.
func layOut(index Index) (map[string]string, error) {
	files, keys := map[string]string{}, map[string]string{sourceignore.IgnoreFile: sourceignore.IgnoreFile}
	for _, key := range slices.Sorted(maps.Keys(index)) {
		name, err := pathOf(key)
		if err != nil {
			return nil, fmt.Errorf("failed to resolve path for '%s' object: %w", cut(key), err)
		}
		if other, taken := keys[name]; taken {
			return nil, fmt.Errorf("the objects %q and %q stand for the same file", cut(other), cut(key))
		}
		keys[name], files[key] = key, name
	}
	return files, nil
}

func (b *Bucket) download(ctx context.Context, listing *Listing, files map[string]string, dir string) (Index, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if listing.Ignore != nil {
		if err := root.WriteFile(sourceignore.IgnoreFile, listing.Ignore, 0o644); err != nil {
			return nil, err
		}
	}
	w := &writer{bucket: b, root: root, index: maps.Clone(listing.Index), left: maxTotalBytes}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(downloads)
	for _, key := range slices.Sorted(maps.Keys(files)) {
		group.Go(func() error {
			if err := w.object(ctx, key, files[key]); err != nil {
				return fmt.Errorf("failed to get '%s' object: %w", cut(key), legible(err))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return w.index, nil
}

// writer writes objects, several at a time.
type writer struct {
	bucket *Bucket
	root   *os.Root

	mu    sync.Mutex
	index Index
	left  int64
}

func (w *writer) object(ctx context.Context, key, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	body, info, _, err := w.bucket.client.GetObject(ctx, w.bucket.remote.Name, key, minio.GetObjectOptions{})
	if isGone(err) {
		w.note(key, nil)
		return nil
	}
	if err != nil {
		return err
	}
	defer body.Close()
	if err := w.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := w.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, &counted{w, body})
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	w.note(key, &info.ETag)
	return nil
}

// note says which object was written; nil is none.
func (w *writer) note(key string, tag *string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if tag == nil {
		delete(w.index, key)
		return
	}
	w.index[key] = *tag
}

// counted reads what still fits.
type counted struct {
	w *writer
	r io.Reader
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.w.left -= int64(n); c.w.left < 0 {
		return 0, fmt.Errorf("the bucket holds more than %d MiB", maxTotalBytes>>20)
	}
	return n, err
}
