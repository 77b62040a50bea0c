package kustomization

import (
	"context"
	"errors"
	"fmt"

	apiacl "github.com/fluxcd/pkg/apis/acl"
	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/kube/work"
	"hearth/internal/source"
)

// originRevision is the annotation of OCI images that names the revision they
// were made of.
const originRevision = "org.opencontainers.image.revision"

// findSource looks up the source, and the revision it has.
func (w *walk) findSource(ctx context.Context) error {
	ref := w.obj.Spec.SourceRef
	name := types.NamespacedName{Namespace: w.key.Namespace, Name: ref.Name}
	if ref.Namespace != "" {
		name.Namespace = ref.Namespace
	}
	if w.o.NoCrossNamespaceRefs && name.Namespace != w.key.Namespace {
		return &failure{reason: apiacl.AccessDeniedReason, kind: terminal,
			err: fmt.Errorf("can't access '%s/%s', cross-namespace references have been blocked", ref.Kind, name)}
	}
	var found interface {
		client.Object
		sourcev1.Source
	}
	switch ref.Kind {
	case sourcev1.GitRepositoryKind:
		found = &sourcev1.GitRepository{}
	case sourcev1.OCIRepositoryKind:
		found = &sourcev1.OCIRepository{}
	case sourcev1.BucketKind:
		found = &sourcev1.Bucket{}
	case sourcev1.ExternalArtifactKind:
		found = &sourcev1.ExternalArtifact{}
	default:
		return &failure{reason: meta.ArtifactFailedReason, kind: terminal, err: fmt.Errorf("source `%s` kind '%s' not supported", ref.Name, ref.Kind)}
	}
	err := w.client.Get(ctx, name, found)
	if apierrors.IsNotFound(err) {
		return &failure{reason: meta.ArtifactFailedReason, kind: waiting, err: at(fmt.Errorf("Source '%s' not found", ref.String()), w.place("spec", "sourceRef"))}
	}
	if err != nil {
		return &failure{reason: meta.ArtifactFailedReason, err: fmt.Errorf("unable to get source '%s': %w", name, err)}
	}
	artifact := found.GetArtifact()
	if artifact == nil {
		return &failure{reason: meta.ArtifactFailedReason, kind: waiting, err: fmt.Errorf("Source artifact not found, waiting for %s %s", ref.Kind, name)}
	}
	w.source, w.revision = found, artifact.Revision
	requested, _ := meta.ReconcileAnnotationValue(w.obj.Annotations)
	w.stamp = stamp{w.obj.Generation, artifact.Revision, requested}
	return nil
}

// originRevision returns the commit that an artifact of a registry was made
// of, where its maker noted it.
func (w *walk) originRevision() string {
	if w.source == nil {
		return w.obj.Status.LastAppliedOriginRevision
	}
	return w.source.GetArtifact().Metadata[originRevision]
}

// fetch returns the folder of the source's artifact.
func (w *walk) fetch(ctx context.Context) (string, *failure) {
	root, err := w.o.Store.Resolve(w.source.GetArtifact())
	if errors.Is(err, source.ErrNotStored) { // somebody else's
		name := sourceName(w.obj)
		err = work.Aside(ctx, func(ctx context.Context) (err error) {
			root, err = w.o.Artifacts.Find(ctx, domain.Ref{Kind: name[0], Namespace: name[1], Name: name[2]}, w.source.GetArtifact())
			return err
		})
	}
	if errors.Is(err, source.ErrNotStored) {
		return "", &failure{reason: meta.ArtifactFailedReason, err: fmt.Errorf("Source is not ready, artifact not found: %w", err)}
	}
	if err != nil {
		return "", &failure{reason: meta.ArtifactFailedReason, err: err}
	}
	return root, nil
}
