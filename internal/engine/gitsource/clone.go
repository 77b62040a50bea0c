package gitsource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"

	"hearth/internal/engine/sourcestate"
	"hearth/internal/source"
)

// defaultTimeout bounds a clone, as in Flux.
const defaultTimeout = 60 * time.Second

// defaultBranch is what is checked out where the spec names nothing, as in Flux.
const defaultBranch = "master"

// clone stores what the reference of a repository points at.
func (r *reconciler) clone(ctx context.Context, obj *sourcev1.GitRepository) (source.Artifact, error) {
	if err := unsupported(obj); err != nil {
		return source.Artifact{}, err
	}
	timeout := defaultTimeout
	if obj.Spec.Timeout != nil {
		timeout = obj.Spec.Timeout.Duration
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	options, err := r.login(ctx, obj)
	if err != nil {
		return source.Artifact{}, &sourcestate.Error{Reason: sourcev1.AuthenticationFailedReason, Err: err}
	}
	dir, err := os.MkdirTemp("", "hearth-clone-")
	if err != nil {
		return source.Artifact{}, &sourcestate.Error{Reason: sourcev1.DirCreationFailedReason, Err: err}
	}
	defer os.RemoveAll(dir)
	revision, err := checkout(ctx, obj, options, dir)
	if err != nil {
		// The library's errors may cite the URL as it was given.
		message := strings.ReplaceAll(err.Error(), obj.Spec.URL, redact(obj.Spec.URL))
		return source.Artifact{}, fmt.Errorf("failed to checkout and determine revision: %s", message)
	}
	return r.store(ctx, obj, dir, revision)
}

// unsupported refuses what would otherwise silently be left undone.
func unsupported(obj *sourcev1.GitRepository) error {
	switch {
	case obj.Spec.Verification != nil:
		return &sourcestate.Error{Reason: sourcev1.VerificationError, Stalled: true, Err: errors.New("spec.verify: Hearth cannot verify signatures of commits")}
	case len(obj.Spec.Include) > 0:
		return &sourcestate.Error{Reason: "IncludeUnavailable", Stalled: true, Err: errors.New("spec.include: Hearth cannot include other repositories")}
	}
	return nil
}

func (r *reconciler) store(ctx context.Context, obj *sourcev1.GitRepository, dir, revision string) (source.Artifact, error) {
	spec := ""
	if obj.Spec.Ignore != nil {
		spec = *obj.Spec.Ignore
	}
	ignore, err := source.Ignore(dir, spec)
	if err != nil {
		return source.Artifact{}, err
	}
	a, err := r.o.Store.PutDir(ctx, dir, source.DirOptions{
		Ignore:   sparse(obj.Spec.SparseCheckout, ignore),
		Revision: func(string) string { return revision },
	})
	if err != nil {
		return a, &sourcestate.Error{Reason: sourcev1.ArchiveOperationFailedReason, Err: err}
	}
	return a, nil
}

// sparse leaves out what is neither in, nor on the way to, one of the folders.
func sparse(folders []string, ignore func(string, bool) bool) func(string, bool) bool {
	if len(folders) == 0 {
		return ignore
	}
	return func(rel string, isDir bool) bool {
		for _, folder := range folders {
			folder = strings.TrimPrefix(path.Clean("/"+folder), "/") + "/"
			inside := strings.HasPrefix(rel+"/", folder)
			onTheWay := isDir && strings.HasPrefix(folder, rel+"/")
			if inside || onTheWay {
				return ignore(rel, isDir)
			}
		}
		return true
	}
}

// checkout clones into a folder and returns the revision as Flux writes it.
func checkout(ctx context.Context, obj *sourcev1.GitRepository, o *git.CloneOptions, dir string) (string, error) {
	ref := sourcev1.GitRepositoryRef{}
	if obj.Spec.Reference != nil {
		ref = *obj.Spec.Reference
	}
	o.URL, o.SingleBranch, o.Tags, o.Depth = obj.Spec.URL, true, git.NoTags, 1
	if obj.Spec.RecurseSubmodules {
		o.RecurseSubmodules = git.DefaultSubmoduleRecursionDepth
	}
	label := ""
	switch {
	case ref.Commit != "":
		label = ref.Branch
		o.Depth = 0 // a commit may be anywhere in the history
		if ref.Branch != "" {
			o.ReferenceName = plumbing.NewBranchReferenceName(ref.Branch)
		} else {
			o.SingleBranch = false
		}
		o.NoCheckout = true
	case ref.Name != "":
		label, o.ReferenceName = ref.Name, plumbing.ReferenceName(ref.Name)
	case ref.SemVer != "":
		tag, err := newestTag(ctx, o, ref.SemVer)
		if err != nil {
			return "", err
		}
		label, o.ReferenceName = tag, plumbing.NewTagReferenceName(tag)
	case ref.Tag != "":
		label, o.ReferenceName = ref.Tag, plumbing.NewTagReferenceName(ref.Tag)
	default:
		label = ref.Branch
		if label == "" {
			label = defaultBranch
		}
		o.ReferenceName = plumbing.NewBranchReferenceName(label)
	}
	repo, err := git.PlainCloneContext(ctx, dir, false, o)
	if err != nil {
		return "", fmt.Errorf("unable to clone '%s': %w", obj.Spec.URL, err)
	}
	commit, err := head(repo, ref.Commit)
	if err != nil {
		return "", err
	}
	if label == "" {
		return "sha1:" + commit, nil
	}
	return label + "@sha1:" + commit, nil
}

// head returns the commit that is checked out, after checking out the one
// wanted, if any.
func head(repo *git.Repository, wanted string) (string, error) {
	if wanted == "" {
		ref, err := repo.Head()
		if err != nil {
			return "", err
		}
		return ref.Hash().String(), nil
	}
	tree, err := repo.Worktree()
	if err != nil {
		return "", err
	}
	if err := tree.Checkout(&git.CheckoutOptions{Hash: plumbing.NewHash(wanted), Force: true}); err != nil {
		return "", fmt.Errorf("unable to resolve commit object for '%s': %w", wanted, err)
	}
	return wanted, nil
}

// newestTag returns the tag of the highest version that fits a range.
func newestTag(ctx context.Context, o *git.CloneOptions, expression string) (string, error) {
	constraint, err := semver.NewConstraint(expression)
	if err != nil {
		return "", fmt.Errorf("semver parse error: %w", err)
	}
	remote := git.NewRemote(memory.NewStorage(), &config.RemoteConfig{Name: git.DefaultRemoteName, URLs: []string{o.URL}})
	refs, err := remote.ListContext(ctx, &git.ListOptions{Auth: o.Auth, CABundle: o.CABundle})
	if err != nil {
		return "", fmt.Errorf("unable to list tags of '%s': %w", o.URL, err)
	}
	var newest *semver.Version
	for _, ref := range refs {
		if !ref.Name().IsTag() {
			continue
		}
		version, err := semver.NewVersion(ref.Name().Short())
		if err == nil && constraint.Check(version) && (newest == nil || version.GreaterThan(newest)) {
			newest = version
		}
	}
	if newest == nil {
		return "", fmt.Errorf("no match found for semver: %s", expression)
	}
	return newest.Original(), nil
}
