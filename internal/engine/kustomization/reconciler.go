package kustomization

import (
	"context"
	"fmt"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/health"
)

// walk is one reconcile of one Kustomization.
type walk struct {
	*reconciler
	key types.NamespacedName
	obj *kustomizev1.Kustomization
	// saved is the object as the server has it.
	saved *kustomizev1.Kustomization
	start time.Time

	source   sourcev1.Source
	revision string
	stamp    stamp
	progress progress
	// secrets are values that must not be told.
	secrets []string
	digest  string
	inputs  string // of the build
	drifted bool
	// before is the inventory that the reconcile found. intended is set while
	// it may list more than was saved, wrote once an object may be written.
	before          *kustomizev1.ResourceInventory
	intended, wrote bool
}

// stamp tells what a reconcile was about: as long as it is the same, a
// reconcile is a repetition.
type stamp struct {
	generation          int64
	revision, requested string
}

// Reconcile brings the cluster to what a Kustomization describes.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	obj, err := r.read(ctx, req.NamespacedName)
	if client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("read Kustomization %s: %w", req, err)
	}
	if err != nil {
		r.forget(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	w := &walk{reconciler: r, key: req.NamespacedName, obj: obj, saved: obj.DeepCopy(), start: time.Now()}
	result, err := w.run(ctx)
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	return result, err
}

func (r *reconciler) forget(key types.NamespacedName) {
	r.memory.forget(key)
	r.wake.forget(key)
}

func (w *walk) run(ctx context.Context) (reconcile.Result, error) {
	switch {
	case !w.obj.DeletionTimestamp.IsZero():
		return w.delete(ctx)
	case !controllerutil.ContainsFinalizer(w.obj, kustomizev1.KustomizationFinalizer):
		if err := w.addFinalizer(ctx); err != nil {
			return reconcile.Result{}, err
		}
	}
	if w.obj.Spec.Suspend {
		w.forget(w.key)
		return reconcile.Result{}, nil
	}
	if err := health.Validate(w.obj.Spec.HealthCheckExprs); err != nil {
		return w.fail(ctx, &failure{reason: meta.InvalidCELExpressionReason, kind: terminal, err: fmt.Errorf("%s: %w", terminalMessage, err)})
	}
	if err := w.findSource(ctx); err != nil {
		return w.fail(ctx, err)
	}
	if check := w.memory.check(w.key); check != nil && check.stamp == w.stamp {
		if done, result, err := w.resume(ctx, check); done {
			return result, err
		}
	}
	w.progress = w.newProgress()
	if rest := w.memory.restFor(w.key); w.progress.silent && rest > 0 {
		return reconcile.Result{RequeueAfter: rest}, nil
	}
	if err := w.awaitDependencies(ctx); err != nil {
		return w.fail(ctx, err)
	}
	return w.reconcile(ctx)
}

// reconcile walks from Fetching to Ready.
func (w *walk) reconcile(ctx context.Context) (reconcile.Result, error) {
	w.memory.dropCheck(w.key)
	w.wake.unwatch(w.key)

	if err := w.tell(ctx, "Fetching manifests for revision %s with a timeout of %s"); err != nil {
		return reconcile.Result{}, err
	}
	root, failed := w.fetch(ctx)
	if failed != nil {
		return w.fail(ctx, failed)
	}
	w.obj.Status.LastAttemptedRevision = w.revision
	if err := w.tell(ctx, "Building manifests for revision %s with a timeout of %s"); err != nil {
		return reconcile.Result{}, err
	}
	if built, changes, ok := w.repeat(ctx); ok {
		return w.startHealthCheck(ctx, built, changes)
	}
	built, failed := w.build(ctx, root)
	if failed != nil {
		return w.fail(ctx, failed)
	}
	w.before = w.obj.Status.Inventory.DeepCopy()
	w.intend(ctx, built.Objects)
	if err := w.tell(ctx, "Detecting drift for revision %s with a timeout of %s"); err != nil {
		return reconcile.Result{}, err
	}
	changes, failed := w.apply(ctx, built)
	if failed != nil {
		w.resign()
		return w.fail(ctx, failed)
	}
	if failed := w.prune(ctx, w.before, changes); failed != nil {
		return w.fail(ctx, failed)
	}
	w.remember(root, built, changes)
	return w.startHealthCheck(ctx, built, changes)
}

// succeed ends a reconcile in Ready.
func (w *walk) succeed(ctx context.Context) (reconcile.Result, error) {
	if err := w.progress.flush(ctx); err != nil {
		return reconcile.Result{}, err
	}
	w.memory.succeeded(w.key, w.interval())
	if !w.progress.silent {
		w.obj.Status.LastAppliedRevision = w.revision
		w.obj.Status.LastAppliedOriginRevision = w.originRevision()
		w.obj.Status.LastAttemptedRevision = w.revision
		conditions.MarkTrue(w.obj, meta.ReadyCondition, meta.ReconciliationSucceededReason, "Applied revision: %s", w.revision)
		conditions.Delete(w.obj, meta.ReconcilingCondition)
		conditions.Delete(w.obj, meta.StalledCondition)
		w.obj.Status.ObservedGeneration = w.obj.Generation
		w.addHistory(meta.ReconciliationSucceededReason)
		w.finishedEvent()
	}
	w.handleRequest()
	return reconcile.Result{RequeueAfter: w.memory.lookAgain(w.key, w.interval())}, w.save(ctx)
}

// addFinalizer makes sure that nothing is left behind should the Kustomization
// be deleted.
func (w *walk) addFinalizer(ctx context.Context) error {
	patch := client.MergeFromWithOptions(w.obj.DeepCopy(), client.MergeFromWithOptimisticLock{})
	controllerutil.AddFinalizer(w.obj, kustomizev1.KustomizationFinalizer)
	if err := w.client.Patch(ctx, w.obj, patch, client.FieldOwner(statusManager)); err != nil {
		return fmt.Errorf("add the finalizer to Kustomization %s: %w", w.key, err)
	}
	w.saved = w.obj.DeepCopy()
	w.memory.written.Note(w.obj)
	return nil
}
