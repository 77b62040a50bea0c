// Package notification carries news in and out, as Flux's
// notification-controller does.
//
// Out: reconcilers record events with a Recorder. Each becomes a Kubernetes
// event and, for every Alert that asks for it, a message to the Alert's
// Provider: a commit status, a chat message, an alert, a webhook. In: a
// Receiver's webhook asks the objects it names to reconcile at once.
//
// Recording an event never blocks: queues are bounded, deliveries run beside
// the reconcilers, are retried after an exponential back-off, and given up
// after a few tries with an event on the Alert. A delivery never leaves for a
// link-local or metadata address, nor for a private one unless allowed. No
// value of a Secret, and no address that comes from one, reaches an event, an
// error or a log. What an event means is left to those who record it, and
// who may reach the webhooks to whoever opens the listener.
package notification

import (
	"fmt"
	"time"

	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"hearth/internal/domain"
	"hearth/internal/kube/work"
)

// controllerName is who reports, and who writes statuses, as with Flux.
const controllerName = "notification-controller"

// finalizer is what Flux puts on Receivers, Providers and Alerts. Hearth has
// nothing to clean up and only takes it off.
const finalizer = "finalizers.fluxcd.io"

// Options are what notifications work with. All of it may be left out.
type Options struct {
	// Gate bounds the reconciles done at once; deliveries have a bound of their own.
	Gate *work.Gate
	// Deliver sends messages. Otherwise an event on the Alert tells what would
	// be sent, and to which Provider: a rehearsal talks to nobody.
	Deliver bool
	// AllowPrivate lets Providers lead to private and loopback addresses.
	AllowPrivate bool
	// AllowExposed lets the webhook server listen beyond loopback.
	AllowExposed bool
	// NoCrossNamespaceRefs refuses events and resources of other namespaces
	// than the Alert's or Receiver's own.
	NoCrossNamespaceRefs bool
	// Recorder takes the events about Receivers, Providers and Alerts; nil
	// means the manager's own.
	Recorder record.EventRecorder
	// Reconciled is told when a Kustomization has ended a reconcile. It is
	// called by the reconcilers, concurrently, and must not block. Nil is not.
	Reconciled func(domain.FluxReconciled)
	// Repeat is how long an event, or a commit status, is not sent again; 0
	// means 5 minutes, Flux's default.
	Repeat time.Duration
	// RetryBase is the wait after a delivery's first failure; it doubles up to
	// 30 s. 0 means one second.
	RetryBase time.Duration
}

// Notifications is what Setup made: the sink of events, and the webhooks.
type Notifications struct {
	mgr   manager.Manager
	o     Options
	queue *queue
	hooks *Server
}

// Setup registers the reconcilers and the deliveries with a manager, whose
// cache they share.
func Setup(mgr manager.Manager, o Options) (*Notifications, error) {
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor(controllerName)
	}
	if o.Repeat <= 0 {
		o.Repeat = 5 * time.Minute
	}
	if o.RetryBase <= 0 {
		o.RetryBase = time.Second
	}
	n := &Notifications{mgr: mgr, o: o, queue: newQueue(mgr.GetClient(), o), hooks: newServer(mgr, o)}
	if err := mgr.Add(n.queue); err != nil {
		return nil, fmt.Errorf("setting up the delivery of notifications: %w", err)
	}
	if err := setupReceivers(mgr, o); err != nil {
		return nil, fmt.Errorf("setting up the Receiver reconciler: %w", err)
	}
	if err := setupOutgoing(mgr, o); err != nil {
		return nil, fmt.Errorf("setting up the Provider and Alert reconcilers: %w", err)
	}
	return n, nil
}

// Recorder returns a recorder for the events of one controller: they become
// Kubernetes events, and are dispatched to Alerts.
func (n *Notifications) Recorder(controller string) record.EventRecorder {
	return NewRecorder(n.mgr.GetEventRecorderFor(controller), n.mgr.GetScheme(), n.queue, controller, n.o.Reconciled)
}

// Dropped returns how many events and messages were dropped since a queue was
// full.
func (n *Notifications) Dropped() uint64 { return n.queue.dropped.Load() }

// Server returns what answers the Receivers' webhooks. It listens once told to.
func (n *Notifications) Server() *Server { return n.hooks }
