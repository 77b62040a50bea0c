package bucketsource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/utils/ptr"

	"hearth/internal/engine/sourcestate"
	"hearth/internal/source"
	"hearth/internal/source/bucket"
)

// defaultTimeout bounds what is done over the network, as in Flux.
const defaultTimeout = 60 * time.Second

// fetch stores what a bucket holds, unless it is stored.
func (a *attempt) fetch(ctx context.Context, remote bucket.Remote) (source.Artifact, error) {
	timeout := defaultTimeout
	if t := a.obj.Spec.Timeout; t != nil {
		timeout = t.Duration
	}
	network, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("the server did not answer within %s", timeout))
	defer cancel()
	b, err := bucket.Open(remote)
	if err != nil {
		return source.Artifact{}, err
	}
	defer b.Close()
	listing, err := b.List(network, ptr.Deref(a.obj.Spec.Ignore, ""))
	if err != nil {
		return source.Artifact{}, because(network, err)
	}
	a.objects = len(listing.Index)
	if stored, ok := a.upToDate(listing.Index.Digest()); ok {
		return stored, nil
	}
	dir, err := a.o.Store.WorkFolder("bucket-")
	if err != nil {
		return source.Artifact{}, &sourcestate.Error{
			Condition: sourcev1.StorageOperationFailedCondition, Reason: sourcev1.DirCreationFailedReason,
			Err: fmt.Errorf("failed to create temporary working directory: %w", err),
		}
	}
	defer os.RemoveAll(dir)
	index, err := b.Download(network, listing, dir)
	if err != nil {
		return source.Artifact{}, because(network, err)
	}
	a.objects = len(index)
	return a.store(ctx, dir, index.Digest())
}

// because says of a timeout that it is one.
func because(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", err, context.Cause(ctx))
	}
	return err
}

// upToDate returns the artifact that the status names, if it is what a fetch
// would make.
func (a *attempt) upToDate(revision string) (source.Artifact, bool) {
	artifact := a.obj.Status.Artifact
	if artifact == nil || !artifact.HasRevision(revision) {
		return source.Artifact{}, false
	}
	return source.Artifact{
		Revision: artifact.Revision, Digest: artifact.Digest,
		Size: ptr.Deref(artifact.Size, 0), Time: artifact.LastUpdateTime.Time,
	}, true
}

// store keeps all files of a folder: what is ignored was not fetched.
func (a *attempt) store(ctx context.Context, dir, revision string) (source.Artifact, error) {
	if err := a.Outdated(ctx, "NewRevision", fmt.Sprintf("new upstream revision '%s'", revision)); err != nil {
		return source.Artifact{}, err
	}
	stored, err := a.o.Store.PutDir(ctx, dir, source.DirOptions{Revision: func(string) string { return revision }})
	if err != nil {
		return stored, &sourcestate.Error{
			Condition: sourcev1.StorageOperationFailedCondition, Reason: sourcev1.ArchiveOperationFailedReason,
			Err: fmt.Errorf("unable to archive artifact to storage: %w", err),
		}
	}
	return stored, nil
}
