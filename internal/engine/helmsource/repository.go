package helmsource

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/docker/go-units"
	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/kube/work"
	"hearth/internal/source"
)

// maxIndex bounds a repository's index.
const maxIndex = 50 << 20

// repositories reconciles HelmRepositories.
type repositories struct{ base }

// Reconcile fetches the index of an http repository.
func (r *repositories) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	obj := &sourcev1.HelmRepository{}
	if err := r.client.Get(ctx, req.NamespacedName, obj); err != nil {
		if client.IgnoreNotFound(err) == nil {
			r.release(sourcev1.HelmRepositoryKind, req.NamespacedName)
		}
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !obj.DeletionTimestamp.IsZero() {
		r.release(sourcev1.HelmRepositoryKind, req.NamespacedName)
		return reconcile.Result{}, sourcestate.LetGo(ctx, r.client, obj)
	}
	if obj.Spec.Suspend {
		r.backoff.Forget(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	if obj.Spec.Type == sourcev1.HelmRepositoryTypeOCI {
		return reconcile.Result{}, r.standStill(ctx, obj)
	}
	a := &indexing{base: r.base, obj: obj, Attempt: sourcestate.Try(r.client, obj)}
	err := a.run(ctx)
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	result := a.End(err, sourcev1.IndexationFailedReason, a.status(), r.backoff, obj.GetRequeueAfter())
	a.Tell(r.o.Recorder, a.news())
	return result, a.Save(ctx)
}

// standStill takes away what a repository of type oci was before: it has
// nothing to fetch, and so no status.
func (r *repositories) standStill(ctx context.Context, obj *sourcev1.HelmRepository) error {
	r.release(sourcev1.HelmRepositoryKind, client.ObjectKeyFromObject(obj))
	if err := sourcestate.LetGo(ctx, r.client, obj); err != nil {
		return err
	}
	before := obj.DeepCopy()
	obj.Status = sourcev1.HelmRepositoryStatus{}
	return sourcestate.Save(ctx, r.client, before, obj)
}

// indexing is one try to bring a repository's index up to date.
type indexing struct {
	base
	*sourcestate.Attempt
	obj *sourcev1.HelmRepository
}

func (a *indexing) status() sourcestate.Status {
	s := &a.obj.Status
	return sourcestate.Status{ObservedGeneration: &s.ObservedGeneration, Artifact: &s.Artifact, URL: &s.URL, Requests: &s.ReconcileRequestStatus}
}

func (a *indexing) run(ctx context.Context) error {
	if err := a.Begin(ctx, a.o.Store, a.status()); err != nil {
		return err
	}
	if err := checkURL(a.obj.Spec.URL); err != nil {
		return err
	}
	want, err := request(ctx, a.client, a.obj)
	if err != nil {
		return &sourcestate.Error{Reason: sourcev1.AuthenticationFailedReason, Err: err}
	}
	want.MaxAge = a.MaxAge(a.status(), a.obj.Spec.Interval.Duration)
	var index *source.RepositoryIndex
	err = work.Aside(ctx, func(ctx context.Context) (err error) {
		index, err = a.o.Charts.Index(ctx, want)
		return err
	})
	if err != nil {
		return &sourcestate.Error{Reason: meta.FailedReason, Err: fmt.Errorf("failed to fetch Helm repository index: %w", err)}
	}
	if !a.obj.Status.Artifact.HasRevision(index.Digest) {
		if err := a.Outdated(ctx, "NewRevision", fmt.Sprintf("new index revision '%s'", index.Digest)); err != nil {
			return err
		}
		if err := a.store(ctx, index); err != nil {
			return &sourcestate.Error{
				Condition: sourcev1.StorageOperationFailedCondition, Reason: sourcev1.ArchiveOperationFailedReason,
				Err: fmt.Errorf("unable to save artifact to storage: %w", err),
			}
		}
	}
	sourcestate.Succeeded(a.obj, meta.SucceededReason, fmt.Sprintf("stored artifact: revision '%s'", index.Digest))
	return nil
}

func (a *indexing) store(ctx context.Context, index *source.RepositoryIndex) error {
	file, err := os.Open(index.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	name := fmt.Sprintf("index-%s.yaml", strings.TrimPrefix(index.Digest, "sha256:"))
	stored, err := a.o.Store.PutFile(ctx, name, index.Digest, file, maxIndex)
	if err != nil {
		return err
	}
	artifact := a.o.Store.Artifact(stored, domain.Ref{Kind: sourcev1.HelmRepositoryKind, Namespace: a.obj.Namespace, Name: a.obj.Name})
	a.obj.Status.Artifact, a.obj.Status.URL = artifact, artifact.URL
	return nil
}

// news is what is told of a new index.
func (a *indexing) news() string {
	artifact := a.obj.Status.Artifact
	if artifact == nil {
		return ""
	}
	return fmt.Sprintf("stored fetched index of size %s from '%s'", units.HumanSize(float64(ptr.Deref(artifact.Size, 0))), shown(a.obj.Spec.URL))
}

// shown is a URL without the password that may be in it.
func shown(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "what is no URL"
	}
	return u.Redacted()
}

// checkURL refuses what no index can be at.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		err = fmt.Errorf("it cannot be read")
	case u.Scheme == "oci":
		err = fmt.Errorf("'oci' URL scheme cannot be used with 'default' HelmRepository type")
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		err = fmt.Errorf("it is neither http nor https")
	}
	if err != nil {
		return &sourcestate.Error{Reason: sourcev1.URLInvalidReason, Stalled: true, Err: fmt.Errorf("invalid Helm repository URL: %w", err)}
	}
	return nil
}
