package kustomization

import (
	"fmt"
	"time"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	corev1 "k8s.io/api/core/v1"
)

// maxEvent bounds an event's message, in bytes.
const maxEvent = 16 << 10

// event records what happened, annotated with the revision and with Ready's
// reason, as Flux does.
func (w *walk) event(kind, message string) {
	reason := "info"
	if kind == corev1.EventTypeWarning {
		reason = "error"
	}
	if ready := conditions.GetReason(w.obj, meta.ReadyCondition); ready != "" {
		reason = ready
	}
	w.eventFor(kind, reason, message)
}

// eventFor records what happened for a reason of its own.
func (w *walk) eventFor(kind, reason, message string) {
	annotations := map[string]string{}
	if w.revision != "" {
		annotations[ownerGroup+"/"+eventv1.MetaRevisionKey] = w.revision
	}
	if origin := w.originRevision(); origin != "" {
		annotations[ownerGroup+"/"+eventv1.MetaOriginRevisionKey] = origin
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
