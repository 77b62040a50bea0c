package kustomization

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
)

// terminalMessage opens the message of a failure that only a new spec mends.
const terminalMessage = "Reconciliation failed terminally due to configuration error"

// failure ends a reconcile short of Ready.
type failure struct {
	reason string
	kind   failureKind
	err    error
}

type failureKind int

const (
	// retried failures are tried again after a growing wait.
	retried failureKind = iota
	// waiting is no failure of ours: a change of what is waited for wakes us.
	waiting
	// terminal failures need a new spec.
	terminal
)

// Error returns the message.
func (f *failure) Error() string { return f.err.Error() }

// at adds a place to a message that does not name it yet.
func at(err error, place domain.Place) error {
	if err == nil || !place.Known() || strings.Contains(err.Error(), place.String()) {
		return err
	}
	return fmt.Errorf("%w (%s)", err, place)
}

// fail ends a reconcile with what keeps it from Ready.
func (w *walk) fail(ctx context.Context, err error) (reconcile.Result, error) {
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	f := &failure{reason: meta.ReconciliationFailedReason, err: err}
	errors.As(err, &f)
	message := w.mask(f.Error())
	previous := conditions.GetMessage(w.saved, meta.ReadyCondition)
	news := previous != message || !conditions.IsFalse(w.saved, meta.ReadyCondition)

	conditions.MarkFalse(w.obj, meta.ReadyCondition, f.reason, "%s", message)
	if progress := w.progress.last; progress != "" && f.kind == retried {
		conditions.MarkReconciling(w.obj, meta.ProgressingWithRetryReason, "%s", progress)
	} else {
		conditions.Delete(w.obj, meta.ReconcilingCondition)
	}
	result := reconcile.Result{}
	switch f.kind {
	case terminal:
		conditions.MarkStalled(w.obj, f.reason, "%s", message)
		w.obj.Status.ObservedGeneration = w.obj.Generation
		w.memory.failed(w.key, w.stamp)
	case waiting:
		conditions.Delete(w.obj, meta.StalledCondition)
		result.RequeueAfter = w.obj.GetRequeueAfter()
	case retried:
		conditions.Delete(w.obj, meta.StalledCondition)
		w.memory.failed(w.key, w.stamp)
		result.RequeueAfter = w.memory.backoff.Next(w.key, w.obj.GetRetryInterval())
		if w.digest != "" && news {
			w.addHistory(f.reason)
		}
	}
	switch {
	case f.kind != waiting && news:
		w.event(corev1.EventTypeWarning, message)
	case f.reason == meta.DependencyNotReadyReason && conditions.GetReason(w.saved, meta.ReadyCondition) != f.reason:
		w.event(corev1.EventTypeNormal, "Dependencies do not meet ready condition: "+message)
	}
	w.handleRequest()
	return result, w.save(ctx)
}

// mask takes the values of Secrets out of a message: the server cites values
// that it refuses.
func (w *walk) mask(message string) string {
	for _, secret := range w.secrets {
		message = strings.ReplaceAll(message, secret, "*****")
	}
	return message
}

func (w *walk) addHistory(status string) {
	about := map[string]string{"revision": w.revision}
	if origin := w.originRevision(); origin != "" {
		about["originRevision"] = origin
	}
	w.obj.Status.History.Upsert(w.digest, time.Now(), time.Since(w.start), status, about)
}

// handleRequest acknowledges a reconcile that was asked for by annotation.
func (w *walk) handleRequest() {
	if requested, ok := meta.ReconcileAnnotationValue(w.obj.Annotations); ok {
		w.obj.Status.SetLastHandledReconcileRequest(requested)
	}
}

// save writes the status where anything of it changed. The reconciler is its
// only writer.
func (w *walk) save(ctx context.Context) error {
	patch := client.MergeFrom(w.saved)
	data, err := patch.Data(w.obj)
	if err != nil {
		return fmt.Errorf("save the status of Kustomization %s: %w", w.key, err)
	}
	if string(data) == "{}" {
		return nil
	}
	err = w.client.Status().Patch(ctx, w.obj, patch, client.FieldOwner(statusManager))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("save the status of Kustomization %s: %w", w.key, err)
	}
	w.saved = w.obj.DeepCopy()
	w.memory.written.Note(w.obj)
	return nil
}
