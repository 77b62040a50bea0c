package ocisource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/engine/sourcestate"
	"hearth/internal/kube/work"
	"hearth/internal/source"
	"hearth/internal/source/oci"
)

// defaultTimeout bounds what is done over the network, as in Flux.
const defaultTimeout = 60 * time.Second

// request turns the spec into what is asked of source.Charts.
func (a *attempt) request(ctx context.Context) (source.ChartRequest, error) {
	spec := &a.obj.Spec
	want := source.ChartRequest{URL: spec.URL, Insecure: spec.Insecure, Layer: a.obj.GetLayerMediaType()}
	if ref := spec.Reference; ref != nil {
		want.Version, want.Digest, want.SemVer, want.SemVerFilter = ref.Tag, ref.Digest, ref.SemVer, ref.SemverFilter
	}
	want.Timeout = defaultTimeout
	if spec.Timeout != nil {
		want.Timeout = spec.Timeout.Duration
	}
	want.MaxAge = a.MaxAge(a.status(), spec.Interval.Duration)
	released, err := a.released(ctx)
	if err != nil {
		return want, err
	}
	want.NoChart = !released && want.Layer != source.HelmChartLayer
	return want, a.authenticate(ctx, &want)
}

// released reports whether a HelmRelease takes the artifact for its chart.
func (a *attempt) released(ctx context.Context) (bool, error) {
	var releases helmv2.HelmReleaseList
	if err := a.client.List(ctx, &releases, client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("looking for the HelmReleases of a chart: %w", err)
	}
	for i := range releases.Items {
		hr := &releases.Items[i]
		ref := hr.Spec.ChartRef
		if ref != nil && ref.Kind == sourcev1.OCIRepositoryKind && ref.Name == a.obj.Name && cmp.Or(ref.Namespace, hr.Namespace) == a.obj.Namespace {
			return true, nil
		}
	}
	return false, nil
}

// fetch has the layer that is asked for loaded, unless it is at hand.
func (a *attempt) fetch(ctx context.Context, want source.ChartRequest) (*source.ChartResult, error) {
	var found *source.ChartResult
	err := work.Aside(ctx, func(ctx context.Context) (err error) {
		found, err = a.o.Charts.Fetch(ctx, want)
		return err
	})
	if err != nil {
		return nil, a.fetchFailed(err)
	}
	return found, nil
}

// fetchFailed says what failed as Flux does.
func (a *attempt) fetchFailed(err error) error {
	if errors.Is(err, oci.ErrURL) {
		return &sourcestate.Error{Reason: sourcev1.URLInvalidReason, Stalled: true, Err: fmt.Errorf("URL validation failed for '%s': %w", a.obj.Spec.URL, err)}
	}
	f := &sourcestate.Error{Reason: sourcev1.OCIPullFailedReason, Err: fmt.Errorf("failed to pull artifact from '%s': %w", a.obj.Spec.URL, err)}
	var failed *oci.StepError
	if !errors.As(err, &failed) {
		return f
	}
	switch failed.Step {
	case oci.StepTag:
		f.Reason = sourcev1.ReadOperationFailedReason
		f.Err = fmt.Errorf("failed to determine the artifact tag for '%s': %w", a.obj.Spec.URL, failed.Err)
	case oci.StepDigest:
		f.Err = fmt.Errorf("failed to determine artifact digest: %w", failed.Err)
	case oci.StepLayer:
		f.Reason, f.Err = sourcev1.OCILayerOperationFailedReason, failed.Err
	}
	return f
}

// store puts what was fetched into the store: a copied layer and a release's
// chart as they are, and everything else unpacked.
func (a *attempt) store(ctx context.Context, want source.ChartRequest, found *source.ChartResult) (source.Artifact, error) {
	info, err := os.Stat(found.Path)
	if err != nil {
		return source.Artifact{}, archiveFailed(err)
	}
	if info.IsDir() { // of a mapping
		return a.storeFolder(ctx, found.Path, found.Revision, want.NoChart)
	}
	released, err := a.released(ctx)
	if err != nil {
		return source.Artifact{}, err
	}
	file, err := os.Open(found.Path)
	if err != nil {
		return source.Artifact{}, archiveFailed(err)
	}
	defer file.Close()
	if released || a.obj.GetLayerOperation() == sourcev1.OCILayerCopy {
		name := strings.TrimPrefix(found.Digest, "sha256:") + ".tgz"
		stored, err := a.o.Store.PutFile(ctx, name, found.Revision, file, oci.MaxLayer)
		if err != nil {
			return stored, archiveFailed(err)
		}
		return stored, nil
	}
	dir, err := a.o.Store.WorkFolder("layer-")
	if err != nil {
		return source.Artifact{}, &sourcestate.Error{
			Condition: sourcev1.StorageOperationFailedCondition, Reason: sourcev1.DirCreationFailedReason,
			Err: fmt.Errorf("failed to create temporary working directory: %w", err),
		}
	}
	defer os.RemoveAll(dir)
	if err := oci.Unpack(ctx, file, dir); err != nil {
		return source.Artifact{}, &sourcestate.Error{
			Reason: sourcev1.OCILayerOperationFailedReason, Err: fmt.Errorf("failed to extract layer contents from artifact: %w", err),
		}
	}
	return a.storeFolder(ctx, dir, found.Revision, true)
}

// storeFolder keeps a folder's files, less what is ignored. A chart has no
// files that are ignored by themselves.
func (a *attempt) storeFolder(ctx context.Context, dir, revision string, defaults bool) (source.Artifact, error) {
	o := source.DirOptions{Revision: func(string) string { return revision }}
	if patterns := ptr.Deref(a.obj.Spec.Ignore, ""); defaults || patterns != "" {
		var err error
		if o.Ignore, err = source.Ignore(dir, patterns); err != nil {
			return source.Artifact{}, &sourcestate.Error{
				Condition: sourcev1.StorageOperationFailedCondition, Reason: "SourceIgnoreError", Err: err,
			}
		}
	}
	stored, err := a.o.Store.PutDir(ctx, dir, o)
	if err != nil {
		return stored, archiveFailed(err)
	}
	return stored, nil
}

func archiveFailed(err error) error {
	return &sourcestate.Error{
		Condition: sourcev1.StorageOperationFailedCondition, Reason: sourcev1.ArchiveOperationFailedReason,
		Err: fmt.Errorf("unable to archive artifact to storage: %w", err),
	}
}
