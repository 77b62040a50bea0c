package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// Bounds on a pack, whatever its server says of it.
const (
	maxPack       = 2 << 30
	maxObject     = 256 << 20
	maxObjects    = 10_000_000
	maxDeltaChain = 4096 // what Git itself makes at most
	objectCache   = 32 << 20
	maxSizes      = 20 // bytes that the two sizes of a delta take
)

// receive stores a pack's objects in a folder, once the whole of it has come
// and holds what it may.
func receive(ctx context.Context, r io.Reader, dir string) (*filesystem.Storage, error) {
	name := filepath.Join(dir, "received")
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer os.Remove(name)
	defer file.Close()
	size, err := io.Copy(file, io.LimitReader(contextReader{ctx, r}, maxPack+1))
	if err != nil {
		return nil, fmt.Errorf("receive the pack: %w", err)
	}
	if size > maxPack {
		return nil, fmt.Errorf("the pack is larger than %d MiB", maxPack>>20)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if err := inspect(contextReader{ctx, file}); err != nil {
		return nil, fmt.Errorf("the pack that was received cannot be used: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	storage := filesystem.NewStorage(osfs.New(dir), cache.NewObjectLRU(objectCache))
	if err := packfile.UpdateObjectStorage(storage, contextReader{ctx, file}); err != nil {
		return nil, fmt.Errorf("the pack that was received cannot be used: %w", err)
	}
	return storage, nil
}

// inspect reads through a pack and reports what makes it unfit: an end before
// its end, a checksum that is not its own, objects larger or deltas nested
// deeper than they may be. It holds no object in memory.
func inspect(r io.Reader) error {
	scanner := packfile.NewScanner(struct{ io.Reader }{r})
	_, count, err := scanner.Header()
	if err != nil {
		return truncated(err)
	}
	if count > maxObjects {
		return fmt.Errorf("it holds more than %d objects", maxObjects)
	}
	depths := map[int64]int{} // of deltas, by their offset
	for range count {
		header, err := scanner.NextObjectHeader()
		if err != nil {
			return truncated(err)
		}
		object := &inspected{length: header.Length, delta: header.Type.IsDelta(), start: make([]byte, 0, maxSizes)}
		switch {
		case header.Length < 0 || header.Length > maxObject:
			return errTooLarge
		case !storable(header.Type):
			return fmt.Errorf("an object is of the unknown type %d", header.Type)
		case header.Type == plumbing.OFSDeltaObject:
			if header.OffsetReference <= 0 || header.OffsetReference >= header.Offset {
				return errors.New("a delta refers to no object before it")
			}
			depths[header.Offset] = depths[header.OffsetReference] + 1
			if depths[header.Offset] > maxDeltaChain {
				return fmt.Errorf("deltas are nested more than %d deep", maxDeltaChain)
			}
		}
		if _, _, err := scanner.NextObject(object); err != nil {
			return truncated(err)
		}
		if err := object.end(); err != nil {
			return err
		}
	}
	_, err = scanner.Checksum()
	return truncated(err)
}

func storable(kind plumbing.ObjectType) bool {
	switch kind {
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
		return true
	}
	return kind.IsDelta()
}

func truncated(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

var errTooLarge = fmt.Errorf("an object is larger than %d MiB", maxObject>>20)

// inspected is an object whose content passes by.
type inspected struct {
	length int64
	delta  bool
	seen   int64
	start  []byte // of a delta: enough to hold both of its sizes
}

func (o *inspected) Write(p []byte) (int, error) {
	o.seen += int64(len(p))
	if o.seen > o.length {
		return 0, errors.New("an object is larger than it says")
	}
	if o.delta && len(o.start) < cap(o.start) {
		o.start = append(o.start, p[:min(len(p), cap(o.start)-len(o.start))]...)
	}
	return len(p), nil
}

func (o *inspected) end() error {
	if o.seen != o.length {
		return errors.New("an object is smaller than it says")
	}
	if !o.delta {
		return nil
	}
	_, rest, ok := deltaSize(o.start)
	if !ok {
		return errors.New("a delta has no sizes")
	}
	result, _, ok := deltaSize(rest)
	if !ok {
		return errors.New("a delta has no sizes")
	}
	if result > maxObject {
		return errTooLarge
	}
	return nil
}

// deltaSize reads one of the sizes a delta begins with, seven bits a byte.
func deltaSize(p []byte) (size uint64, rest []byte, ok bool) {
	for i, b := range p {
		if i > 8 {
			return math.MaxUint64, nil, false
		}
		size |= uint64(b&0x7f) << (7 * i)
		if b&0x80 == 0 {
			return size, p[i+1:], true
		}
	}
	return 0, nil, false
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
