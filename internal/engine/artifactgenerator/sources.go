package artifactgenerator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	generator "github.com/fluxcd/source-watcher/api/v2/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/kube/work"
	"hearth/internal/source"
	"hearth/internal/source/oci"
)

// used is a source with the artifact that it has.
type used struct {
	ref      domain.Ref
	artifact *meta.Artifact
}

// observe looks up the sources, by their alias.
func (a *attempt) observe(ctx context.Context) (map[string]used, error) {
	sources := map[string]used{}
	for _, s := range a.obj.Spec.Sources {
		key := client.ObjectKey{Namespace: cmp.Or(s.Namespace, a.obj.Namespace), Name: s.Name}
		found := newSource(s.Kind)
		if found == nil {
			return nil, fmt.Errorf("source `%s` kind '%s' not supported", s.Name, s.Kind)
		}
		if err := a.client.Get(ctx, key, found); err != nil {
			if apierrors.IsNotFound(err) {
				return nil, err
			}
			return nil, fmt.Errorf("unable to get source '%s': %w", key, err)
		}
		artifact := found.GetArtifact()
		if artifact == nil {
			return nil, fmt.Errorf("source '%s/%s' is not ready", s.Kind, key)
		}
		sources[s.Alias] = used{domain.Ref{Kind: s.Kind, Namespace: key.Namespace, Name: key.Name}, artifact}
	}
	return sources, nil
}

type sourceObject interface {
	client.Object
	GetArtifact() *meta.Artifact
}

func newSource(kind string) sourceObject {
	switch kind {
	case sourcev1.GitRepositoryKind:
		return &sourcev1.GitRepository{}
	case sourcev1.OCIRepositoryKind:
		return &sourcev1.OCIRepository{}
	case sourcev1.BucketKind:
		return &sourcev1.Bucket{}
	case sourcev1.HelmChartKind:
		return &sourcev1.HelmChart{}
	case sourcev1.ExternalArtifactKind:
		return &sourcev1.ExternalArtifact{}
	}
	return nil
}

// observations are what the status keeps a digest of.
func observations(sources map[string]used) map[string]generator.ObservedSource {
	all := map[string]generator.ObservedSource{}
	for alias, s := range sources {
		all[alias] = generator.ObservedSource{
			Digest: s.artifact.Digest, Revision: s.artifact.Revision, URL: s.artifact.URL,
			OriginRevision: s.artifact.Metadata[generator.ArtifactOriginRevisionAnnotation],
		}
	}
	return all
}

// fetch returns the folders of the sources, by their alias. They may be read
// until done is called.
func (a *attempt) fetch(ctx context.Context, sources map[string]used) (dirs map[string]string, done func(), err error) {
	work, err := a.o.Store.WorkFolder("sources-")
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(work)
		}
	}()
	dirs = map[string]string{}
	for alias, s := range sources {
		if dirs[alias], err = a.folder(ctx, s, filepath.Join(work, alias)); err != nil {
			return nil, nil, fmt.Errorf("source '%s': %w", alias, err)
		}
	}
	return dirs, func() { os.RemoveAll(work) }, nil
}

// folder returns where the files of a source are. An artifact that is one
// packed file, such as a chart, is unpacked first.
func (a *attempt) folder(ctx context.Context, s used, unpacked string) (string, error) {
	path, err := a.o.Store.Resolve(s.artifact)
	if errors.Is(err, source.ErrNotStored) { // somebody else's
		err = work.Aside(ctx, func(ctx context.Context) (err error) {
			path, err = a.o.Artifacts.Find(ctx, s.ref, s.artifact)
			return err
		})
	}
	if err != nil {
		return "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || info.IsDir() {
		return path, err
	}
	if err := os.Mkdir(unpacked, 0o700); err != nil {
		return "", err
	}
	return unpacked, oci.Unpack(ctx, file, unpacked)
}
