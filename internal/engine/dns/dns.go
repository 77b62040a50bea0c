// Package dns keeps DNS records as External-DNS does: it reads from routes,
// Gateways, Services, Ingresses and DNSEndpoints which names there should be,
// compares that with what a provider has, and changes the difference.
//
// Who made a record is remembered in TXT records, and nothing that another
// owner made, or that nobody marked, is ever changed. A plan is made of what is
// there now each time, whatever happened before, so that nothing has to be
// remembered but what the provider holds. While a provider cannot be reached
// nothing changes, and the next try comes after a growing wait.
//
// In a rehearsal every External-DNS pod that runs is played with its own
// arguments; its provider's account is one of the embedded server's (package
// server). A pod that does not run does nothing. On a cluster the instances are
// given (Options.Instances). External-DNS itself writes nothing but records and
// the observed generation of DNSEndpoints; a failure to reach the provider is an
// event on its pod here, where External-DNS has a line in its log.
package dns

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	watch "sigs.k8s.io/controller-runtime/pkg/source"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
	"hearth/internal/engine/dns/server"
	"hearth/internal/engine/dns/source"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
)

// Options say which instances work, and with what.
type Options struct {
	// Gate bounds the work, and knows of it.
	Gate *work.Gate
	// Objects reads DNSEndpoints; nil means a reader of its own.
	Objects *objects.Objects

	// Instances always work.
	Instances []Instance
	// Server plays the External-DNS of every pod that runs one; nil plays none.
	Server *server.Server

	// Settle is how long changes are collected before they are looked at; 0
	// means a second.
	Settle time.Duration
	// Timeout bounds one look at a provider; 0 means a minute.
	Timeout time.Duration

	// Faults says what goes wrong; nil is nothing.
	Faults      *domain.Faults
	Assumptions *domain.Assumptions
	// Board is told how each instance stands; nil is nobody.
	Board *Board
	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
}

const domainAssumed = domain.AssumedOperator

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// reconciler keeps the records of all instances.
type reconciler struct {
	o       Options
	client  client.Client
	cache   client.Reader
	backoff work.Backoff[types.NamespacedName]

	mu      sync.Mutex
	queue   queue
	known   map[types.NamespacedName]bool
	waiting map[types.NamespacedName]func() // ends the wait that the gate knows of
	failed  map[types.NamespacedName]string // what was last told to have failed
}

// Setup registers the reconciler with a manager, whose cache it shares.
func Setup(mgr manager.Manager, o Options) error {
	if o.Objects == nil {
		o.Objects = objects.New(mgr.GetCache(), mgr.GetScheme())
	}
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor("external-dns")
	}
	if o.Settle <= 0 {
		o.Settle = time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.Board == nil {
		o.Board = &Board{}
	}
	r := &reconciler{
		o: o, client: mgr.GetClient(), cache: mgr.GetCache(), known: map[types.NamespacedName]bool{},
		waiting: map[types.NamespacedName]func(){}, failed: map[types.NamespacedName]string{},
	}
	if err := r.setup(mgr); err != nil {
		return fmt.Errorf("set up External-DNS: %w", err)
	}
	return nil
}

// sources are the kinds that records are read from.
func sources() []client.Object {
	return []client.Object{
		&gatewayv1.HTTPRoute{}, &gatewayv1.GRPCRoute{}, &gatewayv1.TLSRoute{}, &gatewayv1.Gateway{}, &corev1.Service{}, &corev1.Namespace{},
		&corev1.Node{}, &discoveryv1.EndpointSlice{}, &networkingv1.Ingress{}, &apiextensionsv1.CustomResourceDefinition{},
	}
}

func (r *reconciler) setup(mgr manager.Manager) error {
	skip := true // several managers of one process have controllers of this name
	c, err := controller.New("external-dns", mgr, controller.Options{
		// One after the other: two instances may share an account, and what one
		// plans must still hold when it is carried out.
		MaxConcurrentReconciles: 1,
		SkipNameValidation:      &skip,
		RateLimiter:             work.Limiter(),
		Reconciler:              work.Reconciler(r.o.Gate, r),
	})
	if err != nil {
		return err
	}
	if err := c.Watch(watch.Func(r.begin)); err != nil {
		return err
	}
	if r.o.Server != nil {
		if err := c.Watch(watch.Kind(mgr.GetCache(), client.Object(&corev1.Pod{}), r.pods())); err != nil {
			return err
		}
	}
	for _, kind := range sources() {
		if err := c.Watch(watch.Kind(mgr.GetCache(), kind, r.changes())); err != nil {
			return err
		}
	}
	r.o.Objects.Listen(func(c objects.Change) {
		if c.Key.GroupKind() == source.EndpointKind.GroupKind() && specChanged(c) {
			r.wakeAll(r.o.Settle)
		}
	})
	return mgr.Add(manager.RunnableFunc(r.followFaults))
}

// begin notes the queue, and wakes the instances that always work.
func (r *reconciler) begin(_ context.Context, q queue) error {
	r.mu.Lock()
	r.queue = q
	for _, one := range r.o.Instances {
		r.known[types.NamespacedName{Name: one.Name}] = true
	}
	r.mu.Unlock()
	r.wakeAll(0)
	return nil
}

// pods wakes the instance of a pod when it begins or ceases to work.
func (r *reconciler) pods() handler.EventHandler {
	look := func(obj client.Object) {
		if pod, ok := obj.(*corev1.Pod); ok && isProgram(pod) {
			r.wake(client.ObjectKeyFromObject(pod), r.o.Settle)
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, _ queue) { look(e.Object) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, _ queue) {
			before, wasPod := e.ObjectOld.(*corev1.Pod)
			now, isPod := e.ObjectNew.(*corev1.Pod)
			if wasPod && isPod && runs(before) != runs(now) {
				look(now)
			}
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ queue) { look(e.Object) },
	}
}

// changes wakes all instances when something changes that records are read from.
func (r *reconciler) changes() handler.EventHandler {
	look := func() { r.wakeAll(r.o.Settle) }
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, _ queue) { r.ifConcerned(e.Object, look) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, _ queue) {
			if matters(e.ObjectOld, e.ObjectNew) {
				r.ifConcerned(e.ObjectNew, look)
			}
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ queue) { r.ifConcerned(e.Object, look) },
	}
}
