package helmsource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/kube/work"
	"hearth/internal/source"
)

// Reasons of a HelmChart's failures, as Flux names them.
const (
	reasonChartPull    = "ChartPullError"
	reasonReference    = "InvalidChartReference"
	reasonNoSource     = "SourceUnavailable"
	reasonValuesFiles  = "ValuesFilesError"
	reasonChartPackage = "ChartPackageError"
)

const (
	// maxChart bounds a chart's archive.
	maxChart = 64 << 20
	// revisionDigest is how much of a Git revision a chart's version carries.
	revisionDigest = 12
)

// charts reconciles HelmCharts.
type charts struct{ base }

// Reconcile fetches the chart version that a HelmChart asks for.
func (c *charts) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	obj := &sourcev1.HelmChart{}
	if err := c.client.Get(ctx, req.NamespacedName, obj); err != nil {
		c.backoff.Forget(req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if obj.Spec.Suspend || !obj.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, nil
	}
	before := obj.DeepCopy()
	if requested, ok := meta.ReconcileAnnotationValue(obj.Annotations); ok {
		obj.Status.SetLastHandledReconcileRequest(requested)
	}
	err := c.fetch(ctx, obj)
	return c.finish(ctx, before, obj, reasonChartPull, &obj.Status.ObservedGeneration, obj.GetRequeueAfter(), err)
}

func (c *charts) fetch(ctx context.Context, obj *sourcev1.HelmChart) error {
	switch obj.Spec.SourceRef.Kind {
	case sourcev1.HelmRepositoryKind:
		return c.fromRepository(ctx, obj)
	case sourcev1.GitRepositoryKind:
		return c.fromGit(ctx, obj)
	}
	return &sourcestate.Error{Reason: reasonReference, Stalled: true,
		Err: fmt.Errorf("unsupported source kind '%s' of chart '%s'", obj.Spec.SourceRef.Kind, obj.Spec.Chart)}
}

// get reads the source that a chart refers to.
func (c *charts) get(ctx context.Context, obj *sourcev1.HelmChart, from client.Object) error {
	err := c.client.Get(ctx, client.ObjectKey{Namespace: obj.Namespace, Name: obj.Spec.SourceRef.Name}, from)
	if apierrors.IsNotFound(err) {
		// Its appearance wakes the chart.
		return &sourcestate.Error{Reason: reasonNoSource, Err: fmt.Errorf("failed to get source: %w", err)}
	}
	return err
}

func (c *charts) fromRepository(ctx context.Context, obj *sourcev1.HelmChart) error {
	var from sourcev1.HelmRepository
	if err := c.get(ctx, obj, &from); err != nil {
		return err
	}
	req, err := request(ctx, c.client, &from)
	if err != nil {
		return &sourcestate.Error{Reason: sourcev1.AuthenticationFailedReason, Err: err}
	}
	if strings.HasPrefix(req.URL, "oci://") {
		req.URL = strings.TrimRight(req.URL, "/") + "/" + obj.Spec.Chart
		req.Layer = source.HelmChartLayer
		if _, err := semver.StrictNewVersion(strings.TrimPrefix(obj.Spec.Version, "v")); err == nil {
			req.Version = obj.Spec.Version
		} else {
			req.SemVer = obj.Spec.Version
		}
	} else {
		req.Name, req.Version = obj.Spec.Chart, obj.Spec.Version
		if req.Version == "*" {
			req.Version = ""
		}
	}
	var result *source.ChartResult
	err = work.Aside(ctx, func(ctx context.Context) error {
		result, err = c.o.Charts.Fetch(ctx, req)
		return err
	})
	if err != nil {
		return &sourcestate.Error{Reason: reasonChartPull, Err: fmt.Errorf("chart pull error: %w", err)}
	}
	name := obj.Spec.Chart[strings.LastIndex(obj.Spec.Chart, "/")+1:]
	obj.Status.ObservedSourceArtifactRevision = ""
	if from.Status.Artifact != nil {
		obj.Status.ObservedSourceArtifactRevision = from.Status.Artifact.Revision
	}
	if err := c.publish(ctx, obj, name, result.Version, result.Path); err != nil {
		return err
	}
	sourcestate.Succeeded(obj, sourcev1.ChartPullSucceededReason, fmt.Sprintf("pulled '%s' chart with version '%s'", name, obj.Status.Artifact.Revision))
	return nil
}

// fromGit packs a chart that stands in a Git repository.
func (c *charts) fromGit(ctx context.Context, obj *sourcev1.HelmChart) error {
	var from sourcev1.GitRepository
	if err := c.get(ctx, obj, &from); err != nil {
		return err
	}
	if from.Status.Artifact == nil {
		return &sourcestate.Error{Reason: reasonNoSource, Err: fmt.Errorf("no artifact available for %s source '%s'", sourcev1.GitRepositoryKind, from.Name)}
	}
	root, err := c.o.Store.Resolve(from.Status.Artifact)
	if err != nil {
		return &sourcestate.Error{Reason: reasonNoSource, Err: err}
	}
	path := filepath.Clean(strings.TrimPrefix(obj.Spec.Chart, "./"))
	if !filepath.IsLocal(path) {
		return &sourcestate.Error{Reason: reasonReference, Stalled: true, Err: fmt.Errorf("the chart path '%s' leaves the repository", obj.Spec.Chart)}
	}
	loaded, err := loader.Load(filepath.Join(root, path))
	if err != nil {
		return &sourcestate.Error{Reason: reasonReference, Err: fmt.Errorf("no usable chart at '%s': %w", obj.Spec.Chart, err)}
	}
	version := loaded.Metadata.Version
	if obj.Spec.ReconcileStrategy == sourcev1.ReconcileStrategyRevision {
		if version, err = withRevision(version, from.Status.Artifact.Revision); err != nil {
			return &sourcestate.Error{Reason: reasonChartPackage, Err: err}
		}
	}
	obj.Status.ObservedSourceArtifactRevision = from.Status.Artifact.Revision
	if err := c.publishLoaded(ctx, obj, loaded, version); err != nil {
		return err
	}
	sourcestate.Succeeded(obj, sourcev1.ChartPackageSucceededReason,
		fmt.Sprintf("packaged '%s' chart with version '%s'", loaded.Name(), obj.Status.Artifact.Revision))
	return nil
}

// publish stores a chart's archive and names it in the status.
func (c *charts) publish(ctx context.Context, obj *sourcev1.HelmChart, name, version, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("storing the chart: %w", err)
	}
	if info.IsDir() || len(obj.Spec.ValuesFiles) > 0 {
		loaded, err := loader.Load(path)
		if err != nil {
			return &sourcestate.Error{Reason: reasonChartPull, Err: fmt.Errorf("chart pull error: %w", err)}
		}
		return c.publishLoaded(ctx, obj, loaded, version)
	}
	if artifact := obj.Status.Artifact; artifact.HasRevision(version) && obj.Status.ObservedChartName == name &&
		obj.Status.ObservedGeneration == obj.Generation && c.holds(artifact) {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("storing the chart: %w", err)
	}
	defer file.Close()
	return c.put(ctx, obj, name, version, file)
}

// publishLoaded packs a chart with the values files that are asked for.
func (c *charts) publishLoaded(ctx context.Context, obj *sourcev1.HelmChart, loaded *chart.Chart, version string) error {
	if err := mergeValuesFiles(loaded, obj.Spec.ValuesFiles, obj.Spec.IgnoreMissingValuesFiles); err != nil {
		return &sourcestate.Error{Reason: reasonValuesFiles, Err: err}
	}
	loaded.Metadata.Version = version
	file, remove, err := packed(loaded)
	if err != nil {
		return &sourcestate.Error{Reason: reasonChartPackage, Err: err}
	}
	defer remove()
	obj.Status.ObservedValuesFiles = slices.Clone(obj.Spec.ValuesFiles)
	return c.put(ctx, obj, loaded.Name(), version, file)
}

func (c *charts) put(ctx context.Context, obj *sourcev1.HelmChart, name, version string, file *os.File) error {
	stored, err := c.o.Store.PutFile(ctx, name+"-"+version+".tgz", version, file, maxChart)
	if err != nil {
		return &sourcestate.Error{Reason: sourcev1.ArchiveOperationFailedReason, Err: err}
	}
	if !obj.Status.Artifact.HasDigest(stored.Digest) || !obj.Status.Artifact.HasRevision(version) {
		obj.Status.Artifact = c.o.Store.Artifact(stored, domain.Ref{Kind: sourcev1.HelmChartKind, Namespace: obj.Namespace, Name: obj.Name})
		obj.Status.URL = obj.Status.Artifact.URL
	}
	obj.Status.ObservedChartName = name
	return nil
}

// withRevision adds a source's revision to a chart's version.
func withRevision(version, revision string) (string, error) {
	v, err := semver.NewVersion(version)
	if err != nil {
		return "", fmt.Errorf("chart version '%s': %w", version, err)
	}
	digest := revision[strings.LastIndex(revision, ":")+1:]
	if len(digest) < revisionDigest {
		return "", errors.New("the source's revision names no digest")
	}
	marked, err := v.SetMetadata(digest[:revisionDigest])
	if err != nil {
		return "", fmt.Errorf("chart version '%s': %w", version, err)
	}
	return marked.String(), nil
}
