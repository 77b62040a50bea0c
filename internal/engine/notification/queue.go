package notification

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"

	notificationv1beta3 "github.com/fluxcd/notification-controller/api/v1beta3"
	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/work"
	"hearth/internal/source/githubapp"
)

const (
	// maxEvents bounds the events that wait to be matched with Alerts.
	maxEvents = 4096
	// maxWaiting bounds the messages that wait for one Alert's Provider.
	maxWaiting = 256
	// maxRemembered bounds the events that are told from repetitions.
	maxRemembered = 16384
	// concurrency bounds the deliveries under way at once.
	concurrency = 8
)

// queue matches events with Alerts, and sends each Alert's messages one after
// the other, so that a commit's last status is its newest. Nothing of it
// blocks who records events: where a bound is reached the oldest messages, or
// the newest events, are dropped and counted.
type queue struct {
	client  client.Client
	o       Options
	events  chan Event
	slots   chan struct{}
	seen    *recent[[sha256.Size]byte]
	posted  *posted
	tokens  *githubapp.Tokens
	backoff work.Backoff[*message]
	dropped atomic.Uint64

	mu    sync.Mutex
	lanes map[types.NamespacedName][]*message
	group sync.WaitGroup
}

// message is an event on its way to one Alert's Provider.
type message struct {
	alert types.NamespacedName
	event *eventv1.Event
}

func newQueue(c client.Client, o Options) *queue {
	return &queue{
		client:  c,
		o:       o,
		events:  make(chan Event, maxEvents),
		slots:   make(chan struct{}, concurrency),
		seen:    newRecent[[sha256.Size]byte](o.Repeat, maxRemembered),
		posted:  newPosted(o.Repeat),
		tokens:  &githubapp.Tokens{},
		backoff: work.Backoff[*message]{Base: o.RetryBase},
		lanes:   map[types.NamespacedName][]*message{},
	}
}

// Dispatch takes an event. One that finds the queue full is dropped.
func (q *queue) Dispatch(event Event) {
	select {
	case q.events <- event:
	default:
		q.dropped.Add(1)
	}
}

// Start delivers until ctx ends.
func (q *queue) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			q.group.Wait()
			return nil
		case event := <-q.events:
			q.match(ctx, &event)
		}
	}
}

// match queues an event for every Alert that asks for it, unless the same was
// told a moment ago.
func (q *queue) match(ctx context.Context, event *Event) {
	if !q.seen.first(identity(&event.Event)) {
		return
	}
	clean(&event.Event)
	var alerts notificationv1beta3.AlertList
	if err := q.client.List(ctx, &alerts, client.UnsafeDisableDeepCopy); err != nil {
		return // the cache fails only when it is stopped
	}
	for i := range alerts.Items {
		alert := &alerts.Items[i]
		if !asksFor(alert, event) {
			continue
		}
		if q.o.NoCrossNamespaceRefs && alert.Namespace != event.InvolvedObject.Namespace {
			q.tell(alert.DeepCopy(), corev1.EventTypeWarning, reasonFailed, "discarding event, access denied to cross-namespace sources: alert '%s/%s' can't process event from '%s', cross-namespace references have been blocked",
				alert.Namespace, alert.Name, subject(&event.Event))
			continue
		}
		q.add(ctx, &message{alert: client.ObjectKeyFromObject(alert), event: event.Event.DeepCopy()})
	}
}

// add puts a message into its Alert's lane, which is worked on while there are any.
func (q *queue) add(ctx context.Context, m *message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting, busy := q.lanes[m.alert]
	if len(waiting) >= maxWaiting {
		waiting = waiting[1:]
		q.dropped.Add(1)
	}
	q.lanes[m.alert] = append(waiting, m)
	if !busy {
		q.group.Go(func() { q.work(ctx, m.alert) })
	}
}

// work empties one lane.
func (q *queue) work(ctx context.Context, alert types.NamespacedName) {
	for m := q.next(alert); m != nil; m = q.next(alert) {
		q.deliver(ctx, m)
	}
}

// next takes the oldest message of a lane, or closes the lane.
func (q *queue) next(alert types.NamespacedName) *message {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := q.lanes[alert]
	if len(waiting) == 0 {
		delete(q.lanes, alert)
		return nil
	}
	q.lanes[alert] = waiting[1:]
	return waiting[0]
}

// tell records an event about an Alert or a Provider.
func (q *queue) tell(obj client.Object, eventtype, reason, format string, args ...any) {
	q.o.Recorder.Eventf(obj, eventtype, reason, format, args...)
}

// subject names an event's object.
func subject(event *eventv1.Event) string {
	obj := event.InvolvedObject
	return fmt.Sprintf("%s/%s/%s", obj.Kind, obj.Namespace, obj.Name)
}
