// Package gateway plays what gives a cluster its way in: the load balancer that
// assigns addresses to Services, and the controllers of Gateway API classes.
//
// It promises addresses that the owner asked for, by annotation or field, or
// else one of a pool that depends on the owner's name; and the status that the
// Gateway API specification demands of classes, gateways, listeners and routes:
// a route is judged by the gateways, listeners, Services and grants that are
// really there, and a parent that is not there is not answered for.
//
// No traffic flows, no proxy pods are made, and policies are not judged.
package gateway

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
	"hearth/internal/kube/work"
)

// workers bounds how many objects of a kind are judged at once.
const workers = 8

// Options says which addresses there are to give.
type Options struct {
	Gate        *work.Gate
	Assumptions *domain.Assumptions

	// Pool is where addresses come from that nobody asks for and no pool of
	// the cluster has; none means 203.0.113.0/24, a range for documentation.
	Pool []netip.Prefix
}

// edge plays load balancers and gateway controllers.
type edge struct {
	Options
	client    client.Client
	log       logr.Logger
	addresses *book
}

// Setup registers them with the manager.
func Setup(mgr manager.Manager, o Options) error {
	if len(o.Pool) == 0 {
		o.Pool = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
	}
	e := &edge{
		Options:   o,
		client:    mgr.GetClient(),
		log:       mgr.GetLogger().WithName("gateway"),
		addresses: newBook(),
	}
	for _, setup := range []func(manager.Manager) error{e.setupServices, e.setupClasses, e.setupGateways, e.setupRoutes} {
		if err := setup(mgr); err != nil {
			return fmt.Errorf("set up the stand-in gateway: %w", err)
		}
	}
	return nil
}

func options() controller.Options {
	skip := true
	return controller.Options{MaxConcurrentReconciles: workers, SkipNameValidation: &skip}
}

func (e *edge) setupServices(mgr manager.Manager) error {
	return builder.ControllerManagedBy(mgr).
		Named("load-balancer").
		For(&corev1.Service{}).
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
	b := builder.ControllerManagedBy(mgr).
		Named("gateway").
		For(&gatewayv1.Gateway{}).
		Watches(&gatewayv1.GatewayClass{}, handler.EnqueueRequestsFromMapFunc(e.gatewaysOfClass)).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(e.gatewaysOfSecret)).
		Watches(&gatewayv1.ReferenceGrant{}, handler.EnqueueRequestsFromMapFunc(e.allGateways)).
		WithOptions(options())
	for _, kind := range routeKinds() {
		b = b.Watches(kind.empty(), handler.EnqueueRequestsFromMapFunc(e.gatewaysOfRoute))
	}
	return b.Complete(work.Reconciler(e.Gate, reconcile.Func(e.reconcileGateway)))
}

func (e *edge) setupRoutes(mgr manager.Manager) error {
	for _, kind := range routeKinds() {
		all := handler.EnqueueRequestsFromMapFunc(e.routesOfKind(kind))
		err := builder.ControllerManagedBy(mgr).
			Named("gateway-"+kind.name).
			For(kind.empty()).
			Watches(&gatewayv1.Gateway{}, all).
			Watches(&gatewayv1.GatewayClass{}, all).
			Watches(&gatewayv1.ReferenceGrant{}, all).
			Watches(&corev1.Service{}, handler.EnqueueRequestsFromMapFunc(e.routesOfService(kind))).
			WithOptions(options()).
			Complete(work.Reconciler(e.Gate, e.routeReconciler(kind)))
		if err != nil {
			return err
		}
	}
	return nil
}

// requests returns one request for each object that keep lets through.
func requests[T client.Object](objects []T, keep func(T) bool) []reconcile.Request {
	var list []reconcile.Request
	for _, obj := range objects {
		if keep == nil || keep(obj) {
			list = append(list, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj)})
		}
	}
	return list
}

// gateways returns all gateways, as the cache has them.
func (e *edge) gateways(ctx context.Context) []*gatewayv1.Gateway {
	list := &gatewayv1.GatewayList{}
	if err := e.client.List(ctx, list); err != nil {
		e.log.Error(err, "cannot list gateways")
		return nil
	}
	gateways := make([]*gatewayv1.Gateway, 0, len(list.Items))
	for i := range list.Items {
		gateways = append(gateways, &list.Items[i])
	}
	return gateways
}
