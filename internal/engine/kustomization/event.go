package kustomization

import (
	"fmt"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	corev1 "k8s.io/api/core/v1"
)

// maxEvent bounds an event's message, in bytes.
const maxEvent = 16 << 10

// event records what happened, annotated with the revision and with Ready's
// reason, as Flux does.
func (w *walk) event(kind, message string) {
	annotations := map[string]string{}
	if w.revision != "" {
		annotations[ownerGroup+"/revision"] = w.revision
	}
	reason := "info"
	if kind == corev1.EventTypeWarning {
		reason = "error"
	}
	if ready := conditions.GetReason(w.obj, meta.ReadyCondition); ready != "" {
		reason = ready
	}
	if len(message) > maxEvent {
		message = message[:maxEvent] + " …"
	}
	w.o.Recorder.AnnotatedEventf(w.obj, annotations, kind, reason, "%s", message)
}

func (w *walk) finishedEvent() {
	w.event(corev1.EventTypeNormal, fmt.Sprintf("Reconciliation finished in %s, next run in %s",
		time.Since(w.start).Round(time.Millisecond), w.obj.Spec.Interval.Duration))
}
