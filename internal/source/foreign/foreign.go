// Package foreign brings artifacts into the store that other controllers
// serve: an ExternalArtifact may stand at anybody's URL. What is fetched is
// held against the digest that its object names, unpacked without leaving its
// folder, and bounded; link-local and metadata addresses are not asked, and a
// public server does not lead to a private one.
//
// Whether an artifact's object may be referred to is left to the reconcilers.
package foreign

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"golang.org/x/sync/singleflight"

	"hearth/internal/domain"
	"hearth/internal/source"
	"hearth/internal/source/oci"
)

const (
	// timeout bounds fetching one artifact.
	timeout = 5 * time.Minute
	// maxKnown is how many artifacts are remembered.
	maxKnown = 1 << 12
)

// Artifacts finds artifacts in a store, and fetches those that stand elsewhere.
// Its methods may be called concurrently.
type Artifacts struct {
	store   *source.Store
	flights singleflight.Group

	mu    sync.Mutex
	known map[string]source.Artifact // what was stored, by the digest it was named by
}

// New returns artifacts that are kept in a store.
func New(store *source.Store) *Artifacts {
	return &Artifacts{store: store, known: map[string]source.Artifact{}}
}

// Find returns the folder or file of the artifact that the status of an object
// names. What the store does not have is fetched from the artifact's URL, once
// for all who ask. It is kept until the object is released from the store, or
// names another artifact. The error is source.ErrNotStored where nothing is
// named or can be had.
func (f *Artifacts) Find(ctx context.Context, ref domain.Ref, a *meta.Artifact) (string, error) {
	path, err := f.store.Resolve(a)
	if !errors.Is(err, source.ErrNotStored) || a == nil || a.URL == "" {
		return path, err
	}
	stored, err := f.fetch(ctx, a)
	if err != nil {
		return "", fmt.Errorf("%w: fetch it from %s: %w", source.ErrNotStored, legible(a.URL), err)
	}
	f.store.Artifact(stored, ref) // publishes it
	return f.store.Dir(stored.Digest)
}

func (f *Artifacts) fetch(ctx context.Context, a *meta.Artifact) (source.Artifact, error) {
	flight := f.flights.DoChan(a.Digest+" "+a.URL, func() (any, error) {
		if stored, ok := f.remembered(a.Digest); ok {
			return stored, nil
		}
		// Who came first must not end it for the others.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		stored, err := f.download(ctx, a)
		if err == nil {
			f.remember(a.Digest, stored)
		}
		return stored, err
	})
	select {
	case <-ctx.Done():
		return source.Artifact{}, ctx.Err()
	case result := <-flight:
		return result.Val.(source.Artifact), result.Err
	}
}

// remembered returns what was fetched before, if the store still has it.
func (f *Artifacts) remembered(digest string) (source.Artifact, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	stored, ok := f.known[digest]
	if !ok {
		return stored, false
	}
	if _, err := f.store.Dir(stored.Digest); err != nil {
		delete(f.known, digest)
		return stored, false
	}
	return stored, true
}

func (f *Artifacts) remember(digest string, stored source.Artifact) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.known) >= maxKnown {
		clear(f.known)
	}
	f.known[digest] = stored
}

// download stores the files of a tar.gz.
func (f *Artifacts) download(ctx context.Context, a *meta.Artifact) (source.Artifact, error) {
	work, err := f.store.WorkFolder("foreign-")
	if err != nil {
		return source.Artifact{}, err
	}
	defer os.RemoveAll(work)
	packed := filepath.Join(work, "artifact.tar.gz")
	if err := get(ctx, a.URL, a.Digest, packed); err != nil {
		return source.Artifact{}, err
	}
	file, err := os.Open(packed)
	if err != nil {
		return source.Artifact{}, err
	}
	defer file.Close()
	dir := filepath.Join(work, "files")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return source.Artifact{}, err
	}
	if err := oci.Unpack(ctx, file, dir); err != nil {
		return source.Artifact{}, err
	}
	return f.store.PutDir(ctx, dir, source.DirOptions{})
}
