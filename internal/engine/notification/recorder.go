package notification

import (
	"fmt"
	"maps"
	"strings"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/tools/reference"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
)

// maxMessage bounds an event's message, in bytes, as the event API does.
const maxMessage = 39000

// Event is a Flux event with the labels that its object had.
type Event struct {
	eventv1.Event
	Labels map[string]string
}

// Dispatcher takes events for the Alerts that ask for them. Dispatch never
// blocks and may be called concurrently.
type Dispatcher interface {
	Dispatch(Event)
}

// recorder feeds a Kubernetes recorder and a dispatcher.
type recorder struct {
	inner      record.EventRecorder
	scheme     *runtime.Scheme
	to         Dispatcher
	controller string
	reconciled func(domain.FluxReconciled)
}

// NewRecorder returns a recorder that hands every event on to inner and to a
// dispatcher. Events of the type Trace stay with Kubernetes, as Normal ones.
// What reconciled is told may be nil.
func NewRecorder(inner record.EventRecorder, scheme *runtime.Scheme, to Dispatcher, controller string, reconciled func(domain.FluxReconciled)) record.EventRecorder {
	return &recorder{inner: inner, scheme: scheme, to: to, controller: controller, reconciled: reconciled}
}

// Event records an event.
func (r *recorder) Event(object runtime.Object, eventtype, reason, message string) {
	r.AnnotatedEventf(object, nil, eventtype, reason, "%s", message)
}

// Eventf records an event with a formatted message.
func (r *recorder) Eventf(object runtime.Object, eventtype, reason, format string, args ...any) {
	r.AnnotatedEventf(object, nil, eventtype, reason, format, args...)
}

// AnnotatedEventf records an event with metadata. The object is not kept.
func (r *recorder) AnnotatedEventf(object runtime.Object, annotations map[string]string, eventtype, reason, format string, args ...any) {
	metadata := maps.Clone(annotations)
	if metadata == nil {
		metadata = map[string]string{}
	}
	obj, _ := object.(client.Object)
	if obj != nil {
		addMarked(metadata, obj.GetAnnotations())
	}
	message := fmt.Sprintf(format, args...)
	if eventtype == eventv1.EventTypeTrace {
		r.inner.AnnotatedEventf(object, metadata, corev1.EventTypeNormal, reason, "%s", message)
		return
	}
	if done, ok := reconcileEnd(object, metadata, eventtype, message); ok {
		carry(metadata, done, eventtype)
		if r.reconciled != nil {
			r.reconciled(done)
		}
	}
	r.inner.AnnotatedEventf(object, metadata, eventtype, reason, "%s", message)
	r.dispatch(object, obj, metadata, eventtype, reason, message)
}

// dispatch hands an event about a namespaced object on.
func (r *recorder) dispatch(object runtime.Object, obj client.Object, metadata map[string]string, eventtype, reason, message string) {
	ref, err := reference.GetReference(r.scheme, object)
	if err != nil || ref.Kind == "" || ref.Name == "" || ref.Namespace == "" {
		return // an Alert cannot name what has no kind, name or namespace
	}
	event := Event{Event: eventv1.Event{
		InvolvedObject:      *ref,
		Severity:            severity(eventtype),
		Timestamp:           v1.Now(),
		Message:             shorten(message, maxMessage),
		Reason:              reason,
		Metadata:            metadata,
		ReportingController: r.controller,
		ReportingInstance:   "hearth",
	}}
	if obj != nil {
		event.Labels = maps.Clone(obj.GetLabels())
	}
	r.to.Dispatch(event)
}

// addMarked adds those annotations of an object that are meant for its events.
func addMarked(metadata, annotations map[string]string) {
	for key, value := range annotations {
		if strings.HasPrefix(key, eventv1.Group+"/") {
			metadata[key] = value
		}
	}
}

func severity(eventtype string) string {
	if eventtype == corev1.EventTypeWarning {
		return eventv1.EventSeverityError
	}
	return eventv1.EventSeverityInfo
}

// shorten cuts text after so many bytes, between runes.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const mark = "…"
	return strings.ToValidUTF8(text[:limit-len(mark)], "") + mark
}
