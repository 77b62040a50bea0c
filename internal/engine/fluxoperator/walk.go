package fluxoperator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
)

const (
	// DisabledReason tells that an object asks not to be reconciled.
	DisabledReason = "ReconciliationDisabled"

	inProgress = "Reconciliation in progress"
	terminal   = "Reconciliation failed terminally due to configuration error"
	// longestRetry bounds the wait after failures.
	longestRetry = 15 * time.Minute
	// longestLook bounds the wait for what may come without being noticed, such
	// as a kind that discovery names late.
	longestLook = time.Minute
	// maxEvent bounds an event's message, in bytes.
	maxEvent = 16 << 10
)

// Walk is one reconcile of one object.
type Walk[T Object] struct {
	desk  *Desk[T]
	saved T

	Key    types.NamespacedName
	Object T
	Start  time.Time
	// Repeated is true where the status tells of this generation and request
	// already.
	Repeated bool
}

func newWalk[T Object](d *Desk[T], key types.NamespacedName, obj T) *Walk[T] {
	w := &Walk[T]{desk: d, Key: key, Object: obj, saved: obj.DeepCopyObject().(T), Start: time.Now()}
	requested, asked := meta.ReconcileAnnotationValue(obj.GetAnnotations())
	ready := conditions.Get(obj, meta.ReadyCondition)
	w.Repeated = ready != nil && ready.ObservedGeneration == obj.GetGeneration() && ready.Status != "Unknown" &&
		ready.Reason != DisabledReason && (!asked || obj.RequestStatus().LastHandledReconcileAt == requested)
	return w
}

// Deleted reports whether the object is going.
func (w *Walk[T]) Deleted() bool { return !w.Object.GetDeletionTimestamp().IsZero() }

// WasReady reports whether the object was Ready when the reconcile began.
func (w *Walk[T]) WasReady() bool { return conditions.IsReady(w.saved) }

// Admit makes sure that the object is finalized when it goes, and reports
// whether it wants to be reconciled.
func (w *Walk[T]) Admit(ctx context.Context) (bool, error) {
	if !controllerutil.ContainsFinalizer(w.Object, fluxcdv1.Finalizer) {
		patch := client.MergeFromWithOptions(w.Object.DeepCopyObject().(T), client.MergeFromWithOptimisticLock{})
		controllerutil.AddFinalizer(w.Object, fluxcdv1.Finalizer)
		if err := w.desk.Client.Patch(ctx, w.Object, patch, client.FieldOwner(FieldManager)); err != nil {
			return false, fmt.Errorf("add the finalizer to %s: %w", w.Key, err)
		}
		w.keep()
	}
	if !fluxcdv1.IsDisabled(w.Object) {
		return true, nil
	}
	if !conditions.Has(w.Object, meta.ReadyCondition) {
		conditions.MarkTrue(w.Object, meta.ReadyCondition, DisabledReason, "Initialized with reconciliation suspended")
		w.Event(corev1.EventTypeWarning, DisabledReason, "Reconciliation is disabled", nil)
	}
	return false, w.Save(ctx)
}

// Release lets a deleted object go.
func (w *Walk[T]) Release(ctx context.Context) (reconcile.Result, error) {
	defer w.desk.forget(w.Key)
	patch := client.MergeFromWithOptions(w.Object.DeepCopyObject().(T), client.MergeFromWithOptimisticLock{})
	if !controllerutil.RemoveFinalizer(w.Object, fluxcdv1.Finalizer) {
		return reconcile.Result{}, nil
	}
	if err := w.desk.Client.Patch(ctx, w.Object, patch, client.FieldOwner(FieldManager)); client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("let %s go: %w", w.Key, err)
	}
	return reconcile.Result{}, nil
}

// Progress says that work is under way, unless it only repeats itself. Without
// a message it is the general one.
func (w *Walk[T]) Progress(ctx context.Context, message string) error {
	if w.Repeated {
		return nil
	}
	if message == "" {
		message = inProgress
	}
	conditions.MarkUnknown(w.Object, meta.ReadyCondition, meta.ProgressingReason, inProgress)
	conditions.MarkReconciling(w.Object, meta.ProgressingReason, "%s", message)
	return w.Save(ctx)
}

// Failure is what ends a reconcile otherwise than in Ready.
type Failure struct {
	Reason string
	// Stalled failures need a new spec.
	Stalled bool
	// Waiting is no failure of ours: a change of what is waited for wakes us.
	Waiting bool
	Err     error
}

// Error returns the cause's message.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Terminal is a failure that needs a new spec, told as flux-operator tells it.
func Terminal(reason string, err error) *Failure {
	return &Failure{Reason: reason, Stalled: true, Err: fmt.Errorf("%s: %w", terminal, err)}
}

// Fail ends a reconcile with what keeps it from Ready. Where something else was
// told before, record (unless nil) is called before the status is saved; a wait
// for others is not recorded.
func (w *Walk[T]) Fail(ctx context.Context, err error, interval time.Duration, record func(reason string)) (result reconcile.Result, saveErr error) {
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	f := &Failure{Reason: meta.ReconciliationFailedReason, Err: err}
	errors.As(err, &f)
	message := shorten(f.Error())
	before := conditions.Get(w.saved, meta.ReadyCondition)
	news := before == nil || before.Message != message || before.Status != "False" || !w.Repeated

	conditions.MarkFalse(w.Object, meta.ReadyCondition, f.Reason, "%s", message)
	switch {
	case f.Stalled:
		conditions.MarkStalled(w.Object, f.Reason, "%s", message)
		conditions.Delete(w.Object, meta.ReconcilingCondition)
	default:
		conditions.Delete(w.Object, meta.StalledCondition)
		conditions.MarkReconciling(w.Object, meta.ProgressingWithRetryReason, inProgress)
		result.RequeueAfter = w.desk.backoff.Next(w.Key, min(interval, longestRetry))
	}
	if f.Waiting && result.RequeueAfter > longestLook {
		result.RequeueAfter = longestLook
	}
	kind := corev1.EventTypeWarning
	if f.Waiting {
		kind = corev1.EventTypeNormal
		news = before == nil || before.Reason != f.Reason
	}
	if news {
		w.Event(kind, f.Reason, message, nil)
	}
	if news && !f.Waiting && record != nil {
		record(f.Reason)
	}
	w.acknowledge()
	return result, w.Save(ctx)
}

// Finish ends a reconcile that has applied something by what became of it: it
// begins anew where it was interrupted, fails, or succeeds.
func (w *Walk[T]) Finish(ctx context.Context, err error, interval time.Duration, record func(reason string), succeed func(context.Context) (reconcile.Result, error)) (reconcile.Result, error) {
	switch {
	case ctx.Err() != nil:
		return reconcile.Result{}, nil
	case errors.Is(err, ErrInterrupted):
		w.Event(corev1.EventTypeNormal, meta.HealthCheckCanceledReason, "Health checks canceled due to new reconciliation triggered", nil)
		return reconcile.Result{RequeueAfter: time.Millisecond}, w.Save(ctx)
	case err != nil:
		f := &Failure{Reason: meta.ReconciliationFailedReason, Err: fmt.Errorf("reconciliation failed: %w", err)}
		errors.As(err, &f)
		return w.Fail(ctx, f, interval, record)
	}
	return succeed(ctx)
}

// Succeed ends a reconcile in Ready.
func (w *Walk[T]) Succeed(ctx context.Context, reason, message string, interval time.Duration) (reconcile.Result, error) {
	w.desk.backoff.Forget(w.Key)
	if !w.Repeated || !w.WasReady() {
		conditions.MarkTrue(w.Object, meta.ReadyCondition, reason, "%s", message)
	}
	conditions.Delete(w.Object, meta.ReconcilingCondition)
	conditions.Delete(w.Object, meta.StalledCondition)
	w.acknowledge()
	return reconcile.Result{RequeueAfter: interval}, w.Save(ctx)
}

// Finished says how long the reconcile took.
func (w *Walk[T]) Finished() string {
	took := time.Since(w.Start)
	if took < time.Second {
		return fmt.Sprintf("Reconciliation finished in %s", took.Round(time.Millisecond))
	}
	return fmt.Sprintf("Reconciliation finished in %s", took.Round(time.Second))
}

// Event records what happened.
func (w *Walk[T]) Event(kind, reason, message string, annotations map[string]string) {
	w.desk.Recorder.AnnotatedEventf(w.Object, annotations, kind, reason, "%s", shorten(message))
}

// acknowledge says that a requested reconcile was done.
func (w *Walk[T]) acknowledge() {
	if requested, ok := meta.ReconcileAnnotationValue(w.Object.GetAnnotations()); ok {
		w.Object.RequestStatus().LastHandledReconcileAt = requested
	}
}

// Save writes the status where anything of it changed. The reconciler is its
// only writer.
func (w *Walk[T]) Save(ctx context.Context) error {
	patch := client.MergeFrom(w.saved)
	data, err := patch.Data(w.Object)
	if err != nil {
		return fmt.Errorf("save the status of %s: %w", w.Key, err)
	}
	if string(data) == "{}" {
		return nil
	}
	if err := w.desk.Client.Status().Patch(ctx, w.Object, patch, client.FieldOwner(FieldManager)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("save the status of %s: %w", w.Key, err)
	}
	w.keep()
	return nil
}

// keep takes the object as the server has it.
func (w *Walk[T]) keep() {
	w.saved = w.Object.DeepCopyObject().(T)
	w.desk.written.Note(w.Object.DeepCopyObject().(T))
}

func shorten(message string) string {
	if len(message) > maxEvent {
		return message[:maxEvent] + " …"
	}
	return message
}
