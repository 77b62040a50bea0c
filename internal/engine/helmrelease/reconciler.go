package helmrelease

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	aclv1 "github.com/fluxcd/pkg/apis/acl"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/cel"
	"github.com/fluxcd/pkg/runtime/conditions"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/engine/helmrelease/helmkube"
	"hearth/internal/engine/helmrelease/helmstore"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
	"hearth/internal/render/helm"
)

// reconciler walks each HelmRelease one step further.
type reconciler struct {
	o       Options
	client  client.Client
	conn    *helmkube.Connection
	written *helmstore.Written
	backoff work.Backoff[types.NamespacedName]
	saved   objects.Written[*helmv2.HelmRelease]
	presses helm.Presses

	mu    sync.Mutex
	users map[string]*helmkube.Connection
}

// The ways a reconciliation ends before the release is as desired.
var (
	// errWaiting: what is waited for wakes the HelmRelease by itself.
	errWaiting = errors.New("waiting")
	// errRetry: the next attempt follows after the back-off.
	errRetry = errors.New("to be retried")
	// errStalled: nothing helps but a change of spec, values or chart.
	errStalled = errors.New("stalled")
	// errInterrupted: the HelmRelease changed, or the process ends.
	errInterrupted = errors.New("interrupted")
)

// Reconcile brings the release one step nearer to what the HelmRelease says.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	hr := &helmv2.HelmRelease{}
	if err := r.client.Get(ctx, req.NamespacedName, hr); err != nil {
		if client.IgnoreNotFound(err) == nil {
			r.backoff.Forget(req.NamespacedName)
			r.saved.Forget(req.NamespacedName)
			return reconcile.Result{}, nil
		}
		return reconcile.Result{}, err
	}
	hr = r.saved.Latest(hr)
	s := &step{reconciler: r, hr: hr, before: hr.DeepCopy()}
	if !hr.DeletionTimestamp.IsZero() {
		return s.delete(ctx)
	}
	if controllerutil.AddFinalizer(hr, helmv2.HelmReleaseFinalizer) {
		if err := s.patchFinalizers(ctx); err != nil {
			return reconcile.Result{}, client.IgnoreNotFound(err)
		}
	}
	if hr.Spec.Suspend {
		return reconcile.Result{}, nil
	}
	err := s.reconcile(ctx)
	if requested, ok := meta.ReconcileAnnotationValue(hr.Annotations); ok {
		// Not before: forced reconciliations go by it.
		hr.Status.SetLastHandledReconcileRequest(requested)
	}
	result := s.settle(err)
	if errors.Is(err, errInterrupted) && ctx.Err() != nil {
		// The process ends: what was recorded so far is what the next one finds.
		return reconcile.Result{}, nil
	}
	if err := s.save(ctx); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	return result, nil
}

// settle turns how a reconciliation ended into conditions and the next try.
func (s *step) settle(err error) reconcile.Result {
	key := client.ObjectKeyFromObject(s.hr)
	interval := s.hr.Spec.Interval.Duration
	switch {
	case err == nil:
		s.backoff.Forget(key)
		s.hr.Status.ObservedGeneration = s.hr.Generation
		return reconcile.Result{RequeueAfter: interval}
	case errors.Is(err, errInterrupted):
		s.backoff.Forget(key)
		return reconcile.Result{RequeueAfter: time.Second}
	case errors.Is(err, errStalled):
		s.backoff.Forget(key)
		s.hr.Status.ObservedGeneration = s.hr.Generation
		return reconcile.Result{}
	case errors.Is(err, errWaiting):
		markRetrying(s.hr)
		return reconcile.Result{RequeueAfter: interval}
	}
	markRetrying(s.hr)
	limit := interval
	if retry := s.hr.GetActiveRetry(false); retry != nil {
		limit = retry.GetRetryInterval()
	}
	return reconcile.Result{RequeueAfter: s.backoff.Next(key, limit)}
}

// markRetrying says of a HelmRelease that is not ready that it will be tried
// again.
func markRetrying(hr *helmv2.HelmRelease) {
	reconciling := conditions.Get(hr, meta.ReconcilingCondition)
	if reconciling == nil || !conditions.IsFalse(hr, meta.ReadyCondition) {
		return
	}
	reconciling.Reason = meta.ProgressingWithRetryReason
	conditions.Set(hr, reconciling)
}

// reconcile sees to what the release needs and then to the release itself.
func (s *step) reconcile(ctx context.Context) error {
	if _, err := cel.NewStatusReader(s.hr.Spec.HealthCheckExprs); err != nil {
		return s.misconfigured(meta.InvalidCELExpressionReason, err, "spec", "healthCheckExprs")
	}
	conditions.MarkReconciling(s.hr, meta.ProgressingReason, "Fulfilling prerequisites")
	if err := s.save(ctx); err != nil {
		return errors.Join(errRetry, err)
	}
	if err := s.crossBorder(); err != nil {
		return s.terminal(aclv1.AccessDeniedReason, at(err.Error(), s.place("spec")))
	}
	if err := s.reconcileChartTemplate(ctx); err != nil {
		return s.unready(helmv2.ArtifactFailedReason, err)
	}
	if err := s.checkDependencies(ctx); err != nil {
		if errors.Is(err, errStalled) {
			return s.misconfigured(meta.InvalidCELExpressionReason, err, "spec", "dependsOn")
		}
		s.event(corev1.EventTypeNormal, helmv2.DependencyNotReadyReason, err.Error())
		s.unready(helmv2.DependencyNotReadyReason, err)
		return errWaiting
	}
	if err := s.loadChart(ctx); err != nil {
		return err
	}
	if err := s.composeValues(ctx); err != nil {
		s.event(corev1.EventTypeWarning, "ValuesError", s.located(err))
		return s.unready("ValuesError", err)
	}
	if err := s.connect(ctx); err != nil {
		return s.unready("RESTClientError", err)
	}
	if changed := s.targetChanged(); changed != "" {
		return s.moveTarget(ctx, changed)
	}
	s.countAnew()
	return s.release(ctx)
}

// unready says in the Ready condition what is missing, and returns errRetry
// unless err says otherwise.
func (s *step) unready(reason string, err error) error {
	conditions.MarkFalse(s.hr, meta.ReadyCondition, reason, "%s", s.located(err))
	if errors.Is(err, errStalled) || errors.Is(err, errWaiting) || errors.Is(err, errInterrupted) {
		return err
	}
	return fmt.Errorf("%w: %w", errRetry, err)
}

// countAnew forgets earlier failures when what is desired has changed or a
// reset is asked for, and notes what is attempted now.
func (s *step) countAnew() {
	status := &s.hr.Status
	reset := helmv2.ShouldHandleResetRequest(s.hr)
	if reset || status.LastAttemptedGeneration != s.hr.Generation ||
		status.LastAttemptedRevision != s.version || status.LastAttemptedConfigDigest != s.configDigest {
		status.ClearFailures()
		s.backoff.Forget(client.ObjectKeyFromObject(s.hr))
	}
	status.LastAttemptedGeneration = s.hr.Generation
	status.LastAttemptedRevision = s.version
	status.LastAttemptedRevisionDigest = s.ociDigest
	status.LastAttemptedConfigDigest = s.configDigest
	status.LastAttemptedValuesChecksum = ""
	status.LastReleaseRevision = 0
	if status.StorageNamespace == "" {
		status.StorageNamespace = s.hr.GetStorageNamespace()
	}
}

// misconfigured says that nothing helps but a change of the spec.
func (s *step) misconfigured(reason string, err error, field ...string) error {
	return s.terminal(reason, at(fmt.Sprintf("Reconciliation failed terminally due to configuration error: %s", err), s.place(field...)))
}

// terminal says why the release stays as it is until its spec changes.
func (s *step) terminal(reason, message string) error {
	conditions.MarkStalled(s.hr, reason, "%s", message)
	conditions.MarkFalse(s.hr, meta.ReadyCondition, reason, "%s", message)
	s.event(corev1.EventTypeWarning, reason, message)
	return errStalled
}
