package kustomization

import (
	"context"
	"fmt"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
)

// progress decides which steps of a reconcile are written into the status
// while they last.
type progress struct {
	// silent tells nothing: what was Ready stays so while it is looked over.
	silent bool
	// patient holds steps back until the reconcile changes something or
	// succeeds: a retry that fails as the one before leaves no trace.
	patient bool
	held    []string
	last    string
	write   func(ctx context.Context, message string) error
}

// newProgress looks at what the status says: a Ready Kustomization with
// nothing new is looked over silently, a failed one with nothing new is tried
// again patiently.
func (w *walk) newProgress() progress {
	s := w.obj.Status
	requested, asked := meta.ReconcileAnnotationValue(w.obj.Annotations)
	same := s.LastAttemptedRevision == w.revision && (!asked || s.LastHandledReconcileAt == requested)
	return progress{
		silent: same && conditions.IsReady(w.obj) && s.LastAppliedRevision == w.revision && s.ObservedGeneration == w.obj.Generation,
		// Only this process knows that the spec is the one that failed.
		patient: w.memory.failedAt(w.key) == w.stamp && conditions.IsFalse(w.obj, meta.ReadyCondition),
		write:   w.writeProgress,
	}
}

// tell says which step begins. The format takes revision and timeout.
func (w *walk) tell(ctx context.Context, format string) error {
	return w.progress.tell(ctx, fmt.Sprintf(format, w.revision, w.obj.GetTimeout()))
}

func (p *progress) tell(ctx context.Context, message string) error {
	p.last = message
	switch {
	case p.silent:
		return nil
	case p.patient:
		p.held = append(p.held, message)
		return nil
	}
	return p.write(ctx, message)
}

// flush writes the steps that were held back.
func (p *progress) flush(ctx context.Context) error {
	held := p.held
	p.held, p.patient = nil, false
	for _, message := range held {
		if err := p.write(ctx, message); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) writeProgress(ctx context.Context, message string) error {
	conditions.MarkUnknown(w.obj, meta.ReadyCondition, meta.ProgressingReason, "%s", "Reconciliation in progress")
	conditions.MarkReconciling(w.obj, meta.ProgressingReason, "%s", message)
	return w.save(ctx)
}
