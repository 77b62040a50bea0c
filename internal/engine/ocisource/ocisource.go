// Package ocisource keeps OCIRepositories up to date as Flux's
// source-controller does: it resolves what spec.ref asks for, stores the layer
// that the layer selector names, and tells it in the status.
//
// Where an artifact comes from (a mapping, the cache, the network, a stand-in)
// is decided by source.Charts. Signatures are not verified.
package ocisource

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/predicates"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/kube/work"
	"hearth/internal/source"
)

// concurrency is how many repositories are under way at once.
const concurrency = 64

// Options are what the reconciler works with.
type Options struct {
	// Gate bounds the work done at once; nil bounds nothing.
	Gate *work.Gate
	// Store takes the artifacts, Charts fetches them.
	Store  *source.Store
	Charts *source.Charts
	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
}

// Setup registers the reconciler with a manager.
func Setup(mgr manager.Manager, o Options) error {
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor(sourcestate.FieldManager)
	}
	r := &reconciler{o: o, client: mgr.GetClient()}
	skip := true
	err := builder.ControllerManagedBy(mgr).Named("ocirepository").
		For(&sourcev1.OCIRepository{}, builder.WithPredicates(
			predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicates.ReconcileRequestedPredicate{}))).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, SkipNameValidation: &skip}).
		Complete(work.Reconciler(o.Gate, r))
	if err != nil {
		return fmt.Errorf("setting up the OCIRepository reconciler: %w", err)
	}
	return nil
}

type reconciler struct {
	o       Options
	client  client.Client
	backoff work.Backoff[types.NamespacedName]
}

// Reconcile fetches what an OCIRepository asks for.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	obj := &sourcev1.OCIRepository{}
	if err := r.client.Get(ctx, req.NamespacedName, obj); err != nil {
		r.backoff.Forget(req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if obj.Spec.Suspend || !obj.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, nil
	}
	before := obj.DeepCopy()
	if requested, ok := meta.ReconcileAnnotationValue(obj.Annotations); ok {
		obj.Status.SetLastHandledReconcileRequest(requested)
	}
	err := r.fetch(ctx, obj)
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	result := reconcile.Result{RequeueAfter: obj.Spec.Interval.Duration}
	if err == nil {
		r.backoff.Forget(req.NamespacedName)
		obj.Status.ObservedGeneration = obj.Generation
	} else if sourcestate.Failed(obj, sourcev1.OCIPullFailedReason, err) {
		obj.Status.ObservedGeneration = obj.Generation
		result = reconcile.Result{}
	} else {
		result.RequeueAfter = r.backoff.Next(req.NamespacedName, obj.Spec.Interval.Duration)
	}
	sourcestate.Tell(r.o.Recorder, before, obj)
	return result, sourcestate.Save(ctx, r.client, before, obj)
}

// fetch brings the artifact in the status up to date.
func (r *reconciler) fetch(ctx context.Context, obj *sourcev1.OCIRepository) error {
	req, err := r.request(ctx, obj)
	if err != nil {
		return err
	}
	var result *source.ChartResult
	err = work.Aside(ctx, func(ctx context.Context) error {
		result, err = r.o.Charts.Fetch(ctx, req)
		return err
	})
	if err != nil {
		return fmt.Errorf("failed to pull artifact: %w", err)
	}
	if !r.stored(obj, result) {
		artifact, err := r.store(ctx, obj, req, result)
		if err != nil {
			return &sourcestate.Error{Reason: sourcev1.OCILayerOperationFailedReason, Err: err}
		}
		ref := domain.Ref{Kind: sourcev1.OCIRepositoryKind, Namespace: obj.Namespace, Name: obj.Name}
		obj.Status.Artifact = r.o.Store.Artifact(artifact, ref)
		obj.Status.URL = obj.Status.Artifact.URL
	}
	obj.Status.ObservedLayerSelector = obj.Spec.LayerSelector.DeepCopy()
	obj.Status.ObservedIgnore = obj.Spec.Ignore
	sourcestate.Succeeded(obj, meta.SucceededReason, fmt.Sprintf("stored artifact for digest '%s'", result.Revision))
	return nil
}

// stored reports whether the status already shows what was fetched, and the
// store still has it.
func (r *reconciler) stored(obj *sourcev1.OCIRepository, result *source.ChartResult) bool {
	artifact := obj.Status.Artifact
	if artifact == nil || artifact.Revision != result.Revision || obj.Status.ObservedGeneration != obj.Generation {
		return false
	}
	_, err := r.o.Store.Resolve(artifact)
	return err == nil
}

// request turns the spec into what is asked of source.Charts.
func (r *reconciler) request(ctx context.Context, obj *sourcev1.OCIRepository) (source.ChartRequest, error) {
	req := source.ChartRequest{URL: obj.Spec.URL, Insecure: obj.Spec.Insecure, Layer: obj.GetLayerMediaType()}
	if ref := obj.Spec.Reference; ref != nil {
		req.Version, req.Digest, req.SemVer, req.SemVerFilter = ref.Tag, ref.Digest, ref.SemVer, ref.SemverFilter
	}
	if obj.Spec.Timeout != nil {
		req.Timeout = obj.Spec.Timeout.Duration
	}
	chart, err := r.holdsChart(ctx, obj)
	if err != nil {
		return req, err
	}
	req.NoChart = !chart
	if err := r.authenticate(ctx, obj, &req); err != nil {
		return req, &sourcestate.Error{Reason: sourcev1.AuthenticationFailedReason, Err: err}
	}
	return req, nil
}

// holdsChart reports whether the artifact is a Helm chart: its layer selector
// says so, or a HelmRelease takes it for one.
func (r *reconciler) holdsChart(ctx context.Context, obj *sourcev1.OCIRepository) (bool, error) {
	if obj.GetLayerMediaType() == source.HelmChartLayer {
		return true, nil
	}
	var releases helmv2.HelmReleaseList
	if err := r.client.List(ctx, &releases, client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("looking for the HelmReleases of a chart: %w", err)
	}
	for i := range releases.Items {
		hr := &releases.Items[i]
		ref := hr.Spec.ChartRef
		if ref != nil && ref.Kind == sourcev1.OCIRepositoryKind && ref.Name == obj.Name && cmp.Or(ref.Namespace, hr.Namespace) == obj.Namespace {
			return true, nil
		}
	}
	return false, nil
}

var errNoSecret = errors.New("the Secret does not exist")
