package kustomization

import (
	"context"
	"fmt"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/fluxcd/pkg/ssa"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/engine/remote"
	"hearth/internal/kube/health"
	"hearth/internal/kube/objects"
	"hearth/internal/render/kustomize"
)

// healthCheck is a check under way. Nothing waits for it: the reconcile ends,
// and a change of an object or the deadline begins another, which goes on here.
type healthCheck struct {
	stamp     stamp
	keys      []objects.Key
	fleeting  map[objects.Key]bool // Jobs that vanish once they are done
	started   time.Time
	deadline  time.Time
	digest    string
	walkStart time.Time
	// tell says that its success is news.
	tell bool
	// retryAt is when, after the check failed, all is done again.
	retryAt time.Time
}

// startHealthCheck checks what the spec asks to be healthy, or succeeds at
// once where it asks for nothing.
func (w *walk) startHealthCheck(ctx context.Context, built *kustomize.Result, changes *ssa.ChangeSet) (reconcile.Result, error) {
	keys, err := w.checkedKeys(ctx, changes)
	if err != nil {
		return w.fail(ctx, err)
	}
	if len(keys) == 0 {
		conditions.Delete(w.obj, meta.HealthyCondition)
		return w.succeed(ctx)
	}
	newRevision := w.obj.Status.LastAppliedRevision != w.revision
	check := &healthCheck{
		stamp: w.stamp, keys: keys, fleeting: map[objects.Key]bool{}, digest: w.digest, walkStart: w.start,
		started: time.Now(), deadline: time.Now().Add(w.obj.GetTimeout()),
		tell: !conditions.IsTrue(w.obj, meta.HealthyCondition) || newRevision && w.drifted,
	}
	for _, job := range ssautil.ExtractJobsWithTTL(built.Objects) {
		check.fleeting[objects.Key{
			GroupVersionKind: job.GroupKind.WithVersion("v1"),
			NamespacedName:   types.NamespacedName{Namespace: job.Namespace, Name: job.Name},
		}] = true
	}
	w.memory.setCheck(w.key, check)
	// From now on, so that no change is missed while they are looked at.
	w.wake.watch(w.key, keys)
	report, err := w.report(ctx, check)
	if err != nil {
		return w.fail(ctx, err)
	}
	if !report.Healthy() && w.progress.silent {
		// What was Ready is not any more: that is told from here on.
		w.progress.silent = false
	}
	if !report.Healthy() {
		if err := w.progress.flush(ctx); err != nil {
			return reconcile.Result{}, err
		}
		message := fmt.Sprintf("Running health checks for revision %s with a timeout of %s", w.revision, w.obj.GetTimeout())
		w.progress.last = message
		conditions.MarkUnknown(w.obj, meta.HealthyCondition, meta.ProgressingReason, "%s", message)
		if err := w.writeProgress(ctx, message); err != nil {
			return reconcile.Result{}, err
		}
	}
	return w.judge(ctx, check, report)
}

// resume goes on with a check. It is not done where all must be applied again.
func (w *walk) resume(ctx context.Context, check *healthCheck) (done bool, result reconcile.Result, err error) {
	if !check.retryAt.IsZero() && !time.Now().Before(check.retryAt) {
		return false, result, nil
	}
	report, err := w.report(ctx, check)
	if err != nil {
		return false, result, nil
	}
	w.digest, w.start = check.digest, check.walkStart
	w.progress.last = conditions.GetMessage(w.obj, meta.ReconcilingCondition)
	if !check.retryAt.IsZero() && !report.Healthy() {
		return true, reconcile.Result{RequeueAfter: time.Until(check.retryAt)}, nil
	}
	result, err = w.judge(ctx, check, report)
	return true, result, err
}

// report tells the health of what is checked.
func (w *walk) report(ctx context.Context, check *healthCheck) (health.Report, error) {
	report, err := w.look(ctx, check.keys)
	for i, s := range report {
		if s.Status == status.NotFoundStatus && check.fleeting[s.Key] {
			report[i].Status = status.CurrentStatus
		}
	}
	return report, err
}

// look looks at objects where they were applied.
func (w *walk) look(ctx context.Context, keys []objects.Key) (health.Report, error) {
	if !w.remote() {
		return health.Check(ctx, w.o.Objects, keys, w.obj.Spec.HealthCheckExprs)
	}
	kube, err := w.applyClient(ctx)
	if err != nil {
		return nil, err
	}
	return remote.Check(ctx, kube, keys, w.obj.Spec.HealthCheckExprs)
}

// judge ends the reconcile by what a check says.
func (w *walk) judge(ctx context.Context, check *healthCheck, report health.Report) (reconcile.Result, error) {
	took := time.Since(check.started).Round(time.Millisecond)
	switch {
	case report.Healthy():
		w.wake.unwatch(w.key)
		message := fmt.Sprintf("Health check passed in %s", took)
		if check.tell {
			w.event(corev1.EventTypeNormal, message)
		}
		if !w.progress.silent {
			conditions.MarkTrue(w.obj, meta.HealthyCondition, meta.SucceededReason, "%s", message)
		}
		return w.succeed(ctx)
	case anyFailed(report):
		return w.unhealthy(ctx, check, fmt.Errorf("health check failed after %s: %w", took, health.NewNotReadyError(failedOnly(report), nil)))
	case !time.Now().Before(check.deadline):
		return w.unhealthy(ctx, check, fmt.Errorf("health check failed after %s: %w", took, health.NewNotReadyError(report, context.DeadlineExceeded)))
	}
	return reconcile.Result{RequeueAfter: w.nextLook(time.Until(check.deadline))}, nil
}

// unhealthy ends a check that failed. Should the objects recover, that is
// noticed at once; otherwise all is applied again after the usual wait.
func (w *walk) unhealthy(ctx context.Context, check *healthCheck, err error) (reconcile.Result, error) {
	conditions.MarkFalse(w.obj, meta.HealthyCondition, meta.HealthCheckFailedReason, "%s", w.mask(err.Error()))
	result, saveErr := w.fail(ctx, &failure{reason: meta.HealthCheckFailedReason, err: err})
	check.retryAt = time.Now().Add(result.RequeueAfter)
	return result, saveErr
}

// anyFailed reports whether an object has failed; Flux waits no longer then.
func anyFailed(report health.Report) bool { return len(failedOnly(report)) > 0 }

func failedOnly(report health.Report) health.Report {
	var failed health.Report
	for _, s := range report {
		if s.Status == status.FailedStatus {
			failed = append(failed, s)
		}
	}
	return failed
}

// checkedKeys returns what must be healthy: with spec.wait all that was
// applied, else what spec.healthChecks names. A Kustomization never waits for
// itself. Definitions were waited for when they were applied.
func (w *walk) checkedKeys(ctx context.Context, changes *ssa.ChangeSet) ([]objects.Key, error) {
	if !w.obj.Spec.Wait && len(w.obj.Spec.HealthChecks) == 0 {
		return nil, nil
	}
	kube, err := w.applyClient(ctx)
	if err != nil {
		return nil, err
	}
	var keys []objects.Key
	add := func(gvk schema.GroupVersionKind, namespace, name string) {
		self := gvk.Kind == kustomizev1.KustomizationKind && gvk.Group == ownerGroup && namespace == w.key.Namespace && name == w.key.Name
		if !self && gvk.Kind != "CustomResourceDefinition" {
			keys = append(keys, objects.Key{GroupVersionKind: served(kube.RESTMapper(), gvk), NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}})
		}
	}
	if w.obj.Spec.Wait {
		for _, change := range changes.Entries {
			if change.Action != ssa.SkippedAction {
				id := change.ObjMetadata
				add(id.GroupKind.WithVersion(change.GroupVersion), id.Namespace, id.Name)
			}
		}
		return keys, nil
	}
	for _, check := range w.obj.Spec.HealthChecks {
		version := check.APIVersion
		if version == "" {
			version = "apps/v1" // as Flux takes it
		}
		gv, err := schema.ParseGroupVersion(version)
		if err != nil {
			return nil, &failure{reason: meta.HealthCheckFailedReason, err: fmt.Errorf("spec.healthChecks: %w", err)}
		}
		add(gv.WithKind(check.Kind), check.Namespace, check.Name)
	}
	return keys, nil
}

// served returns a kind in the version given where the server has it, else in
// the one it prefers.
func served(mapper apimeta.RESTMapper, gvk schema.GroupVersionKind) schema.GroupVersionKind {
	if _, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version); err == nil {
		return gvk
	}
	if mapping, err := mapper.RESTMapping(gvk.GroupKind()); err == nil {
		return mapping.GroupVersionKind
	}
	return gvk
}
