package gateway

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/kube/routing"
	"hearth/internal/kube/work"
)

func options() controller.Options {
	skip := true
	return controller.Options{MaxConcurrentReconciles: workers, SkipNameValidation: &skip}
}

// faultsChange wakes a controller when a fault begins or is lifted.
func (e *edge) faultsChange(mgr manager.Manager, wake handler.EventHandler) (source.Source, error) {
	events := make(chan event.GenericEvent, 1)
	err := mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		changes, stop := e.Faults.Changes()
		defer stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-changes:
			}
			select {
			case events <- event.GenericEvent{Object: &gatewayv1.Gateway{}}:
			case <-ctx.Done():
				return nil
			}
		}
	}))
	return source.Channel(events, wake), err
}

func (e *edge) setupServices(mgr manager.Manager) error {
	all := handler.EnqueueRequestsFromMapFunc(e.loadBalancers)
	faults, err := e.faultsChange(mgr, all)
	if err != nil {
		return err
	}
	return builder.ControllerManagedBy(mgr).
		Named("load-balancer").
		For(&corev1.Service{}).
		WatchesRawSource(faults).
		WithOptions(options()).
		Complete(work.Reconciler(e.Gate, reconcile.Func(e.reconcileService)))
}

func (e *edge) setupClasses(mgr manager.Manager) error {
	return builder.ControllerManagedBy(mgr).
		Named("gateway-class").
		For(&gatewayv1.GatewayClass{}).
		WithOptions(options()).
		Complete(work.Reconciler(e.Gate, reconcile.Func(e.reconcileClass)))
}

func (e *edge) setupGateways(mgr manager.Manager) error {
	all := handler.EnqueueRequestsFromMapFunc(e.allGateways)
	faults, err := e.faultsChange(mgr, all)
	if err != nil {
		return err
	}
	b := builder.ControllerManagedBy(mgr).
		Named("gateway").
		For(&gatewayv1.Gateway{}).
		Watches(&gatewayv1.GatewayClass{}, handler.EnqueueRequestsFromMapFunc(e.gatewaysOfClass)).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(e.gatewaysOfSecret)).
		Watches(&gatewayv1.ReferenceGrant{}, all).
		Watches(&corev1.Namespace{}, all, builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesRawSource(faults).
		WithOptions(options())
	for _, kind := range routing.Kinds() {
		b = b.Watches(kind.Empty(), handler.EnqueueRequestsFromMapFunc(gatewaysOfRoute(kind)))
	}
	return b.Complete(work.Reconciler(e.Gate, reconcile.Func(e.reconcileGateway)))
}

func (e *edge) setupRoutes(mgr manager.Manager) error {
	for _, kind := range routing.Kinds() {
		all := handler.EnqueueRequestsFromMapFunc(e.routesOfKind(kind))
		b := builder.ControllerManagedBy(mgr).
			Named("gateway-" + kind.Name).
			For(kind.Empty())
		if rival, ok := rivalOf(kind); ok {
			b = b.Watches(rival.Empty(), all, builder.WithPredicates(predicate.GenerationChangedPredicate{}))
		}
		err := b.
			Watches(&gatewayv1.Gateway{}, all, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
			Watches(&gatewayv1.GatewayClass{}, all).
			Watches(&gatewayv1.ReferenceGrant{}, all).
			Watches(&corev1.Namespace{}, all, builder.WithPredicates(predicate.LabelChangedPredicate{})).
			Watches(&corev1.Service{}, handler.EnqueueRequestsFromMapFunc(e.routesOfService(kind))).
			WithOptions(options()).
			Complete(work.Reconciler(e.Gate, e.routeReconciler(kind)))
		if err != nil {
			return err
		}
	}
	return nil
}

// rivalOf returns the kind of routes that may take a host name from those of a
// kind.
func rivalOf(kind routing.Kind) (routing.Kind, bool) {
	for _, other := range routing.Kinds() {
		if other.Name == routing.Rival(kind.Name) {
			return other, true
		}
	}
	return routing.Kind{}, false
}

// proxiesRequest is the one request of the controller that sets the proxies.
var proxiesRequest = reconcile.Request{NamespacedName: client.ObjectKey{Name: "proxies"}}

// together is how long changes are collected before the proxies are set anew.
const together = 20 * time.Millisecond

// setupProxies sets the proxies anew whenever something changes that says where
// requests go; which endpoints are ready is followed apart.
func (e *edge) setupProxies(mgr manager.Manager) error {
	all := setAnew(func(client.Object) bool { return true })
	faults, err := e.faultsChange(mgr, all)
	if err != nil {
		return err
	}
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	b := builder.ControllerManagedBy(mgr).
		Named("gateway-proxies").
		Watches(&gatewayv1.Gateway{}, all).
		Watches(&gatewayv1.GatewayClass{}, all, changed).
		Watches(&gatewayv1.ReferenceGrant{}, all).
		Watches(&corev1.Namespace{}, all, builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&corev1.Service{}, setAnew(e.isRoutedTo)).
		Watches(&corev1.Secret{}, setAnew(func(secret client.Object) bool {
			return len(e.gatewaysOfSecret(context.Background(), secret)) > 0
		})).
		WatchesRawSource(faults).
		WithOptions(options())
	for _, kind := range routing.Kinds() {
		b = b.Watches(kind.Empty(), all, changed)
	}
	return b.Complete(work.Reconciler(e.Gate, reconcile.Func(e.reconcileProxies)))
}

// setAnew asks for the proxies to be set anew when one of some objects changes.
func setAnew(concerned func(client.Object) bool) handler.EventHandler {
	ask := func(obj client.Object, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		if concerned(obj) {
			q.AddAfter(proxiesRequest, together)
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, ev event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			ask(ev.Object, q)
		},
		UpdateFunc: func(_ context.Context, ev event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			ask(ev.ObjectNew, q)
		},
		DeleteFunc: func(_ context.Context, ev event.DeleteEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			ask(ev.Object, q)
		},
		GenericFunc: func(_ context.Context, ev event.GenericEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			ask(ev.Object, q)
		},
	}
}

func (e *edge) setupEndpoints(mgr manager.Manager) error {
	return builder.ControllerManagedBy(mgr).
		Named("gateway-endpoints").
		Watches(&discoveryv1.EndpointSlice{}, handler.EnqueueRequestsFromMapFunc(func(_ context.Context, slice client.Object) []reconcile.Request {
			key := client.ObjectKey{Namespace: slice.GetNamespace(), Name: slice.GetLabels()[discoveryv1.LabelServiceName]}
			if !e.backends.has(key) {
				return nil
			}
			return []reconcile.Request{{NamespacedName: key}}
		})).
		WithOptions(options()).
		Complete(work.Reconciler(e.Gate, reconcile.Func(e.reconcileEndpoints)))
}
