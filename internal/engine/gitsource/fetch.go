package gitsource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/utils/ptr"

	"hearth/internal/source"
	"hearth/internal/source/git"
)

// defaultTimeout bounds what is done over the network, as in Flux.
const defaultTimeout = 60 * time.Second

// fetch stores what the reference of a repository points at, unless it is
// stored.
func (a *attempt) fetch(ctx context.Context, remote git.Remote) (source.Artifact, error) {
	timeout := defaultTimeout
	if t := a.obj.Spec.Timeout; t != nil {
		timeout = t.Duration
	}
	network, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	session, err := git.Open(network, remote)
	if err != nil {
		return source.Artifact{}, fetchFailed(err)
	}
	defer session.Close()
	target, err := session.Resolve(refOf(a.obj))
	if err != nil {
		return source.Artifact{}, fetchFailed(err)
	}
	if stored, ok := a.upToDate(target.Revision()); ok {
		return stored, nil
	}
	dir, err := a.o.Store.WorkFolder("clone-")
	if err != nil {
		return source.Artifact{}, &failure{
			condition: sourcev1.StorageOperationFailedCondition, reason: sourcev1.DirCreationFailedReason,
			err: fmt.Errorf("failed to create temporary working directory: %w", err),
		}
	}
	defer os.RemoveAll(dir)
	tree := filepath.Join(dir, "tree")
	if err := a.checkout(network, session, target, dir, tree); err != nil {
		return source.Artifact{}, err
	}
	if artifact := a.obj.Status.Artifact; !artifact.HasRevision(target.Revision()) {
		if err := a.outdated(ctx, "NewRevision", fmt.Sprintf("new upstream revision '%s'", target.Revision()), artifact != nil); err != nil {
			return source.Artifact{}, err
		}
	}
	if err := a.copyIncludes(ctx, tree); err != nil {
		return source.Artifact{}, err
	}
	return a.store(ctx, tree, target.Revision())
}

func fetchFailed(err error) error {
	f := &failure{reason: sourcev1.GitOperationFailedReason, err: fmt.Errorf("failed to checkout and determine revision: %w", err)}
	switch {
	case errors.Is(err, git.ErrEmpty):
		f.reason = "EmptyGitRepository"
	case errors.Is(err, git.ErrURL):
		f.reason, f.stalled = sourcev1.URLInvalidReason, true
	}
	return f
}

func refOf(obj *sourcev1.GitRepository) git.Ref {
	if obj.Spec.Reference == nil {
		return git.Ref{}
	}
	ref := obj.Spec.Reference
	return git.Ref{Branch: ref.Branch, Tag: ref.Tag, SemVer: ref.SemVer, Name: ref.Name, Commit: ref.Commit}
}

// upToDate returns the artifact that the status names, if it is what a fetch
// would make.
func (a *attempt) upToDate(revision string) (source.Artifact, bool) {
	artifact := a.obj.Status.Artifact
	if artifact == nil || !artifact.HasRevision(revision) || !conditions.IsTrue(a.obj, sourcev1.ArtifactInStorageCondition) || a.contentChanged() {
		return source.Artifact{}, false
	}
	if a.obj.Spec.Verification == nil {
		a.obj.Status.SourceVerificationMode = nil
		conditions.Delete(a.obj, sourcev1.SourceVerifiedCondition)
	}
	return source.Artifact{
		Revision: artifact.Revision, Digest: artifact.Digest,
		Size: ptr.Deref(artifact.Size, 0), Time: artifact.LastUpdateTime.Time,
	}, true
}

// contentChanged reports whether the spec asks for other content than is
// stored, or for a signature that was not looked at.
func (a *attempt) contentChanged() bool {
	spec, status := &a.obj.Spec, &a.obj.Status
	return !ptr.Equal(spec.Ignore, status.ObservedIgnore) ||
		spec.RecurseSubmodules != status.ObservedRecurseSubmodules ||
		!slices.Equal(spec.Include, status.ObservedInclude) ||
		!slices.Equal(spec.SparseCheckout, status.ObservedSparseCheckout) ||
		a.includesChanged() ||
		a.mustVerify()
}

// checkout fetches a target, verifies it and writes its files.
func (a *attempt) checkout(ctx context.Context, session *git.Session, target git.Target, dir, tree string) error {
	if err := os.Mkdir(tree, 0o700); err != nil {
		return fetchFailed(err)
	}
	snapshot, err := session.Fetch(ctx, target, dir)
	if err != nil {
		return fetchFailed(err)
	}
	defer snapshot.Close()
	// Before a submodule is followed or a file written.
	if err := a.verify(ctx, snapshot); err != nil {
		return err
	}
	err = snapshot.Checkout(ctx, tree, git.CheckoutOptions{Sparse: a.obj.Spec.SparseCheckout, Submodules: a.obj.Spec.RecurseSubmodules})
	if err != nil {
		return fetchFailed(err)
	}
	a.commit = snapshot.Subject()
	return a.checkSparse(tree)
}

// checkSparse reports a folder that was asked for and is not there.
func (a *attempt) checkSparse(tree string) error {
	for _, folder := range a.obj.Spec.SparseCheckout {
		if _, err := os.Lstat(filepath.Join(tree, filepath.Clean("/"+folder))); err != nil {
			return &failure{
				reason: sourcev1.GitOperationFailedReason,
				err:    fmt.Errorf("failed to sparse checkout directories : sparse checkout dir '%s' does not exist in repository", folder),
			}
		}
	}
	return nil
}

// store keeps a folder's files, less what is ignored.
func (a *attempt) store(ctx context.Context, tree, revision string) (source.Artifact, error) {
	ignore, err := source.Ignore(tree, ptr.Deref(a.obj.Spec.Ignore, ""))
	if err != nil {
		return source.Artifact{}, &failure{condition: sourcev1.StorageOperationFailedCondition, reason: "SourceIgnoreError", err: err}
	}
	stored, err := a.o.Store.PutDir(ctx, tree, source.DirOptions{
		Ignore:   ignore,
		Revision: func(string) string { return revision },
	})
	if err != nil {
		return stored, archiveFailed(err)
	}
	return stored, nil
}

func archiveFailed(err error) error {
	return &failure{
		condition: sourcev1.StorageOperationFailedCondition, reason: sourcev1.ArchiveOperationFailedReason,
		err: fmt.Errorf("unable to archive artifact to storage: %w", err),
	}
}
