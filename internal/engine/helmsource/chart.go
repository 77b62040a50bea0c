package helmsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/source"
)

// maxChart bounds a chart's archive.
const maxChart = 64 << 20

// charts reconciles HelmCharts.
type charts struct{ base }

// Reconcile fetches the chart version that a HelmChart asks for.
func (c *charts) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	obj := &sourcev1.HelmChart{}
	if err := c.client.Get(ctx, req.NamespacedName, obj); err != nil {
		if client.IgnoreNotFound(err) == nil {
			c.release(sourcev1.HelmChartKind, req.NamespacedName)
		}
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !obj.DeletionTimestamp.IsZero() {
		c.release(sourcev1.HelmChartKind, req.NamespacedName)
		return reconcile.Result{}, sourcestate.LetGo(ctx, c.client, obj)
	}
	if obj.Spec.Suspend {
		c.backoff.Forget(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	a := &attempt{base: c.base, obj: obj, Attempt: sourcestate.Try(c.client, obj)}
	err := a.run(ctx)
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	result := a.End(err, reasonPull, a.status(), c.backoff, obj.GetRequeueAfter())
	a.TellAs(c.o.Recorder, a.built.reason(), a.built.reason(), a.built.summary())
	return result, a.Save(ctx)
}

// attempt is one try to bring a chart up to date.
type attempt struct {
	base
	*sourcestate.Attempt
	obj   *sourcev1.HelmChart
	fresh bool // the spec was looked at before
	want  source.ChartRequest
	built build
}

func (a *attempt) status() sourcestate.Status {
	s := &a.obj.Status
	return sourcestate.Status{ObservedGeneration: &s.ObservedGeneration, Artifact: &s.Artifact, URL: &s.URL, Requests: &s.ReconcileRequestStatus}
}

func (a *attempt) run(ctx context.Context) error {
	if err := a.Begin(ctx, a.o.Store, a.status()); err != nil {
		return err
	}
	a.fresh = a.obj.Status.ObservedGeneration == a.obj.Generation
	if a.obj.Spec.Verify == nil || conditions.IsFalse(a.obj, sourcev1.SourceVerifiedCondition) {
		conditions.Delete(a.obj, sourcev1.SourceVerifiedCondition)
	}
	from, err := a.source(ctx)
	if err != nil {
		return err
	}
	if artifact := from.GetArtifact(); artifact != nil {
		a.obj.Status.ObservedSourceArtifactRevision = artifact.Revision
	}
	if repository, ok := from.(*sourcev1.HelmRepository); ok {
		err = a.fromRepository(ctx, repository)
	} else {
		err = a.fromFolder(ctx, from.GetArtifact())
	}
	if err != nil {
		return err
	}
	sourcestate.Succeeded(a.obj, a.built.reason(), a.built.summary())
	return nil
}

// source reads what the chart is taken from.
func (a *attempt) source(ctx context.Context) (sourcev1.Source, error) {
	ref := a.obj.Spec.SourceRef
	var from interface {
		client.Object
		sourcev1.Source
	}
	switch ref.Kind {
	case sourcev1.HelmRepositoryKind:
		from = &sourcev1.HelmRepository{}
	case sourcev1.GitRepositoryKind:
		from = &sourcev1.GitRepository{}
	case sourcev1.BucketKind:
		from = &sourcev1.Bucket{}
	default:
		return nil, &sourcestate.Error{Reason: "UnsupportedSourceKind", Stalled: true, Err: fmt.Errorf(
			"failed to get source: unsupported source kind '%s', must be one of: [HelmRepository GitRepository Bucket]", ref.Kind)}
	}
	err := a.client.Get(ctx, client.ObjectKey{Namespace: a.obj.Namespace, Name: ref.Name}, from)
	if apierrors.IsNotFound(err) { // its appearance wakes the chart
		return nil, &sourcestate.Error{Reason: "SourceUnavailable", Err: fmt.Errorf("failed to get source: %w", err)}
	}
	if err != nil {
		return nil, err
	}
	if repository, ok := from.(*sourcev1.HelmRepository); ok && repository.Spec.Type == sourcev1.HelmRepositoryTypeOCI {
		return from, nil
	}
	if _, err := a.o.Store.Resolve(from.GetArtifact()); err != nil {
		return nil, &sourcestate.Error{Reason: "NoSourceArtifact", Err: fmt.Errorf("no artifact available for %s source '%s'", ref.Kind, ref.Name)}
	}
	return from, nil
}

// stored reports whether the chart that is to be built is stored already, and
// nothing of the spec changed since.
func (a *attempt) stored() bool {
	status := &a.obj.Status
	if !a.fresh || status.ObservedChartName != a.built.name || !status.Artifact.HasRevision(a.built.version) {
		return false
	}
	a.built.valuesFiles = a.obj.Spec.ValuesFiles
	if status.ObservedValuesFiles != nil {
		a.built.valuesFiles = status.ObservedValuesFiles
	}
	return true
}

// outdated says that another chart is built than is stored.
func (a *attempt) outdated(ctx context.Context) error {
	if a.obj.Status.ObservedChartName == a.built.name && a.obj.Status.Artifact.HasRevision(a.built.version) {
		return nil
	}
	return a.Outdated(ctx, "NewChart", fmt.Sprintf("new '%s' chart with version '%s'", a.built.name, a.built.version))
}

// pack stores a chart that was loaded, with its version and values as they were
// decided.
func (a *attempt) pack(ctx context.Context, loaded *chart.Chart) error {
	loaded.Metadata.Version = a.built.version
	file, remove, err := packed(loaded)
	if err != nil {
		return a.failed(errPackage, err)
	}
	defer remove()
	a.built.packaged = true
	return a.put(ctx, file)
}

// put stores a chart's archive and names it in the status.
func (a *attempt) put(ctx context.Context, archive io.Reader) error {
	obj, built := a.obj, a.built
	stored, err := a.o.Store.PutFile(ctx, built.name+"-"+built.version+".tgz", built.version, archive, maxChart)
	if err != nil {
		return &sourcestate.Error{
			Condition: sourcev1.StorageOperationFailedCondition, Reason: sourcev1.ArchiveOperationFailedReason,
			Err: fmt.Errorf("unable to copy Helm chart to storage: %w", err),
		}
	}
	artifact := a.o.Store.Artifact(stored, domain.Ref{Kind: sourcev1.HelmChartKind, Namespace: obj.Namespace, Name: obj.Name})
	obj.Status.Artifact, obj.Status.URL = artifact, artifact.URL
	obj.Status.ObservedChartName = built.name
	obj.Status.ObservedValuesFiles = nil
	if obj.Spec.IgnoreMissingValuesFiles {
		obj.Status.ObservedValuesFiles = slices.Clone(built.valuesFiles)
	}
	return nil
}

// putFile stores the archive at a path.
func (a *attempt) putFile(ctx context.Context, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return a.failed(errPull, err)
	}
	defer file.Close()
	return a.put(ctx, file)
}

// errName says that a chart's name or version cannot be a file's.
var errName = errors.New("the chart's name or version is no part of a file's name")

// named takes a chart's name, and the version that its artifact is to have.
func (a *attempt) named(name, version, mark string) error {
	version, err := marked(version, mark)
	if err != nil {
		return a.failed(errMetadata, err)
	}
	if name == "" || strings.ContainsAny(name+version, "/\\\x00") || len(name)+len(version) > 200 {
		return a.failed(errReference, errName)
	}
	a.built.name, a.built.version = name, version
	return nil
}
