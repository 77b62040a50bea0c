package helmrelease

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"
	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/cel"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	celgo "github.com/google/cel-go/cel"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/kube/work"
	"hearth/internal/source"
)

// checkDependencies returns nil once every dependency is ready.
func (s *step) checkDependencies(ctx context.Context) error {
	for _, ref := range s.hr.Spec.DependsOn {
		key := client.ObjectKey{Namespace: cmp.Or(ref.Namespace, s.hr.Namespace), Name: ref.Name}
		var dependency helmv2.HelmRelease
		if err := s.client.Get(ctx, key, &dependency); err != nil {
			return fmt.Errorf("unable to get '%s' dependency: %w", key, err)
		}
		if ref.ReadyExpr != "" {
			ready, err := readyBy(ctx, ref.ReadyExpr, s.hr, &dependency)
			if err != nil {
				return fmt.Errorf("dependency '%s': %w", key, err)
			}
			if !ready {
				return fmt.Errorf("dependency '%s' is not ready according to readyExpr eval", key)
			}
			continue
		}
		if dependency.Generation != dependency.Status.ObservedGeneration || !conditions.IsReady(&dependency) {
			return fmt.Errorf("dependency '%s' is not ready", key)
		}
	}
	return nil
}

func readyBy(ctx context.Context, expression string, self, dependency *helmv2.HelmRelease) (bool, error) {
	expr, err := cel.NewExpression(expression, cel.WithCompile(), cel.WithOutputType(celgo.BoolType), cel.WithStructVariables("self", "dep"))
	if err != nil {
		return false, fmt.Errorf("%w: readyExpr: %w", errStalled, err)
	}
	vars := map[string]any{}
	for name, hr := range map[string]*helmv2.HelmRelease{"self": self, "dep": dependency} {
		if vars[name], err = runtime.DefaultUnstructuredConverter.ToUnstructured(hr); err != nil {
			return false, err
		}
	}
	return expr.EvaluateBoolean(ctx, vars)
}

// sourceOf names the object that a HelmRelease's chart comes from.
func sourceOf(hr *helmv2.HelmRelease) (kind, namespace, name string) {
	if ref := hr.Spec.ChartRef; ref != nil {
		return ref.Kind, cmp.Or(ref.Namespace, hr.Namespace), ref.Name
	}
	if hr.Spec.Chart != nil {
		return sourcev1.HelmChartKind, hr.Spec.Chart.GetNamespace(hr.Namespace), hr.GetHelmChartName()
	}
	return "", "", ""
}

// crossBorder refuses a chart of another namespace, where that is not allowed.
// A HelmChart is made where its source is.
func (s *step) crossBorder() error {
	kind, namespace, name := sourceOf(s.hr)
	if !s.o.NoCrossNamespaceRefs || kind == "" || namespace == s.hr.Namespace {
		return nil
	}
	return fmt.Errorf("can't access '%s/%s', cross-namespace references have been blocked", kind, namespacedName(namespace, name))
}

// chartSource is a source object that offers a chart.
type chartSource interface {
	client.Object
	meta.ObjectWithConditions
	GetArtifact() *meta.Artifact
}

// loadChart finds the chart in the store, once its source has it.
func (s *step) loadChart(ctx context.Context) error {
	kind, namespace, name := sourceOf(s.hr)
	var from chartSource
	switch kind {
	case sourcev1.OCIRepositoryKind:
		from = &sourcev1.OCIRepository{}
	case sourcev1.HelmChartKind:
		from = &sourcev1.HelmChart{}
	case sourcev1.ExternalArtifactKind:
		from = &sourcev1.ExternalArtifact{}
	default:
		s.unready(helmv2.ArtifactFailedReason, fmt.Errorf("could not get Source object: kind '%s' is not supported as a chart's source", kind))
		return errStalled
	}
	if err := s.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, from); err != nil {
		retry := s.unready(helmv2.ArtifactFailedReason, fmt.Errorf("could not get Source object: %w", err))
		if apierrors.IsNotFound(err) {
			return errWaiting
		}
		return retry
	}
	if why := notReady(from); why != "" {
		conditions.MarkFalse(s.hr, meta.ReadyCondition, "SourceNotReady", "%s '%s/%s' is not ready: %s", kind, namespace, name, why)
		return errWaiting
	}
	artifact := from.GetArtifact()
	path, err := s.o.Store.Resolve(artifact)
	if errors.Is(err, source.ErrNotStored) { // somebody else's
		err = work.Aside(ctx, func(ctx context.Context) (err error) {
			path, err = s.o.Artifacts.Find(ctx, domain.Ref{Kind: kind, Namespace: namespace, Name: name}, artifact)
			return err
		})
	}
	if errors.Is(err, source.ErrNotStored) {
		s.unready(helmv2.ArtifactFailedReason, fmt.Errorf("Source not ready: artifact not found: %w", err))
		return errRetry
	}
	if err == nil {
		s.chart, err = s.o.Charts.Load(ctx, path, artifact.Digest)
	}
	if err != nil {
		return s.unready(helmv2.ArtifactFailedReason, fmt.Errorf("Could not load chart: %w", err))
	}
	s.version, s.ociDigest = s.chart.Version(), ""
	if marked := versionMark(kind, artifact); marked != "" {
		if s.version, s.ociDigest, err = versionOf(s.chart.Version(), marked); err != nil {
			return s.unready(helmv2.ArtifactFailedReason, fmt.Errorf("Could not load chart: %w", err))
		}
	}
	if conditions.HasAnyReason(s.hr, meta.ReadyCondition, helmv2.ArtifactFailedReason, "SourceNotReady", helmv2.DependencyNotReadyReason, "ValuesError") {
		conditions.MarkUnknown(s.hr, meta.ReadyCondition, meta.ProgressingReason, "reconciliation in progress")
	}
	return nil
}

// notReady says why a source has nothing to offer yet, or nothing.
func notReady(from chartSource) string {
	observed := int64(0)
	switch from := from.(type) {
	case *sourcev1.OCIRepository:
		observed = from.Status.ObservedGeneration
	case *sourcev1.HelmChart:
		observed = from.Status.ObservedGeneration
	case *sourcev1.ExternalArtifact:
		observed = from.GetGeneration() // it does not say
	}
	// An artifact that is still there stays usable while its source fails.
	getter, ok := from.(conditions.Getter)
	if from.GetArtifact() != nil && observed == from.GetGeneration() {
		return ""
	}
	if ok && conditions.IsFalse(getter, meta.ReadyCondition) {
		return conditions.GetMessage(getter, meta.ReadyCondition)
	}
	if observed != from.GetGeneration() {
		return "latest generation of object has not been reconciled"
	}
	return "does not have an artifact"
}

// versionMark returns the digest that the version of a chart carries, so that
// other content under the same version is noticed; empty is none.
func versionMark(kind string, artifact *meta.Artifact) string {
	switch kind {
	case sourcev1.OCIRepositoryKind:
		return artifact.Revision
	case sourcev1.ExternalArtifactKind:
		return artifact.Digest // the revision may be that of one source of many
	}
	return ""
}

// digestLength is how much of an OCI digest a chart's version carries.
const digestLength = 12

// versionOf adds the digest of an OCI artifact to a chart's version, so that a
// tag that moves is noticed.
func versionOf(version, revision string) (withDigest, digest string, err error) {
	digest = revision[strings.LastIndex(revision, "@")+1:]
	_, sum, ok := strings.Cut(digest, ":")
	if !ok || len(sum) < digestLength {
		return "", "", fmt.Errorf("artifact revision '%s' names no digest", revision)
	}
	v, err := semver.NewVersion(version)
	if err != nil {
		return "", "", fmt.Errorf("chart version '%s': %w", version, err)
	}
	marked, err := v.SetMetadata(sum[:digestLength])
	if err != nil {
		return "", "", fmt.Errorf("chart version '%s': %w", version, err)
	}
	return marked.String(), digest, nil
}
