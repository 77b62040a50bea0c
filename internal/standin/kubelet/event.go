package kubelet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// eventWorkers bounds how many events are written at once.
const eventWorkers = 2

// eventID tells two happenings apart; the same one again is counted.
type eventID struct {
	pod                          types.UID
	field, kind, reason, message string
}

// eventRecord is a happening and how often it happened.
type eventRecord struct {
	event   *corev1.Event
	created bool
}

// eventWriter writes the kubelets' events beside their other work. What
// happens again while an event waits to be written is merged into it.
type eventWriter struct {
	client client.Client
	log    logr.Logger
	queue  workqueue.TypedInterface[eventID]

	mu      sync.Mutex
	records map[eventID]*eventRecord
	pods    map[types.UID][]eventID
	stamp   int64 // of the latest event's name
}

func newEventWriter(c client.Client, log logr.Logger) *eventWriter {
	return &eventWriter{
		client:  c,
		log:     log,
		queue:   workqueue.NewTyped[eventID](),
		records: map[eventID]*eventRecord{},
		pods:    map[types.UID][]eventID{},
	}
}

// containerField names a container in an event.
func containerField(name string, initContainer bool) string {
	if initContainer {
		return "spec.initContainers{" + name + "}"
	}
	return "spec.containers{" + name + "}"
}

// pod records a happening of a pod, or of the part of it that field names.
func (w *eventWriter) pod(pod *corev1.Pod, field, kind, reason, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	id := eventID{pod.UID, field, kind, reason, message}
	now := metav1.Now()

	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.records[id]; r != nil {
		r.event.Count++
		r.event.LastTimestamp = now
		w.queue.Add(id)
		return
	}
	// Events of the same second are told in the order of their names.
	w.stamp = max(now.UnixNano(), w.stamp+1)
	w.records[id] = &eventRecord{event: &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: fmt.Sprintf("%s.%x", pod.Name, w.stamp)},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID,
			ResourceVersion: pod.ResourceVersion, FieldPath: field,
		},
		Type: kind, Reason: reason, Message: message,
		Source:         corev1.EventSource{Component: "kubelet", Host: pod.Spec.NodeName},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
		ReportingController: "kubelet", ReportingInstance: pod.Spec.NodeName,
	}}
	w.pods[pod.UID] = append(w.pods[pod.UID], id)
	w.queue.Add(id)
}

// forget stops counting a pod's happenings; what waits is still written.
func (w *eventWriter) forget(uid types.UID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range w.pods[uid] {
		if r := w.records[id]; r != nil && r.created {
			delete(w.records, id)
		}
	}
	delete(w.pods, uid)
}

// run writes events until ctx is cancelled.
func (w *eventWriter) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, w.queue.ShutDown)
	defer stop()
	var running sync.WaitGroup
	for range eventWorkers {
		running.Go(func() {
			for {
				id, shutdown := w.queue.Get()
				if shutdown {
					return
				}
				if err := w.write(ctx, id); err != nil && ctx.Err() == nil {
					w.log.Error(err, "cannot write an event", "reason", id.reason)
				}
				w.queue.Done(id)
			}
		})
	}
	running.Wait()
	return nil
}

func (w *eventWriter) write(ctx context.Context, id eventID) error {
	w.mu.Lock()
	r := w.records[id]
	if r == nil {
		w.mu.Unlock()
		return nil
	}
	event, created := r.event.DeepCopy(), r.created
	w.mu.Unlock()

	var err error
	if created {
		counted := fmt.Sprintf(`{"count":%d,"lastTimestamp":%q}`, event.Count, event.LastTimestamp.UTC().Format(time.RFC3339))
		err = w.client.Patch(ctx, event, client.RawPatch(types.MergePatchType, []byte(counted)))
	} else {
		err = w.client.Create(ctx, event)
	}
	// The namespace may be going, or the event too old already.
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) || apierrors.IsAlreadyExists(err) {
		err = nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	r.created = true
	if _, known := w.pods[id.pod]; !known {
		delete(w.records, id)
	}
	return err
}
