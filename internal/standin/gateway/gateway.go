// Package gateway plays what gives a cluster its way in: the load balancer that
// assigns addresses to Services, the controllers of Gateway API classes, and
// the proxies of their gateways.
//
// It promises addresses that the owner asked for, by annotation or field, or
// else one of a pool that depends on the owner's name; the status that the
// Gateway API specification demands of classes, gateways, listeners and routes:
// a route is judged by the gateways, listeners, Services and grants that are
// really there, and a parent that is not there is not answered for; and
// listeners on loopback that lead requests by the same rules to the pods that
// are ready, for which an echo answers. Where a gateway's ports answer is told
// by the annotation [Loopback] of the gateway.
//
// No proxy pods are made; UDPRoutes are judged but carry no traffic; policies and filters that a class brings itself are not played.
package gateway

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
	"hearth/internal/kube/routing"
	"hearth/internal/kube/work"
	"hearth/internal/standin/gateway/proxy"
)

// Loopback is the annotation of a gateway that tells where its ports answer on
// this machine: PORT=ADDRESS:PORT, separated by commas.
const Loopback = routing.LoopbackAnnotation

// workers bounds how many objects of a kind are judged at once.
const workers = 8

// Options says which addresses there are to give, and what goes wrong.
type Options struct {
	Gate        *work.Gate
	Assumptions *domain.Assumptions

	// Pool is where addresses come from that nobody asks for and no pool of
	// the cluster has; none means 203.0.113.0/24, a range for documentation.
	Pool []netip.Prefix
	// Faults are what goes wrong; nil is nothing.
	Faults *domain.Faults
	// MadeUpSecrets says that values of ExternalSecrets may be made up: where
	// one should hold a certificate, another is served in its place.
	MadeUpSecrets bool
	// Listening is told where gateways answer on this machine, each time that
	// changes. It must be quick.
	Listening func([]proxy.Mapping)
}

// edge plays load balancers, gateway controllers and their proxies.
type edge struct {
	Options
	client    client.Client
	judge     routing.Judge
	log       logr.Logger
	addresses *book
	proxies   proxy.Server
	backends  backends
	// services are those that routes lead to, by the last look at all routes.
	services atomic.Pointer[map[client.ObjectKey]bool]
	told     string // what Listening was told last
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
	e.judge = routing.Judge{Reader: e.client, Served: func(kind schema.GroupKind) bool {
		_, err := mgr.GetRESTMapper().RESTMapping(kind)
		return err == nil
	}}
	for _, setup := range []func(manager.Manager) error{e.setupServices, e.setupClasses, e.setupGateways, e.setupRoutes, e.setupProxies, e.setupEndpoints} {
		if err := setup(mgr); err != nil {
			return fmt.Errorf("set up the stand-in gateway: %w", err)
		}
	}
	return mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		<-ctx.Done()
		e.proxies.Close()
		return nil
	}))
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

// gateways returns all gateways, as the cache has them: read only.
func (e *edge) gateways(ctx context.Context) []*gatewayv1.Gateway {
	list := &gatewayv1.GatewayList{}
	if err := e.client.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		e.log.Error(err, "cannot list gateways")
		return nil
	}
	gateways := make([]*gatewayv1.Gateway, 0, len(list.Items))
	for i := range list.Items {
		gateways = append(gateways, &list.Items[i])
	}
	return gateways
}

func (e *edge) loadBalancers(ctx context.Context, _ client.Object) []reconcile.Request {
	list := &corev1.ServiceList{}
	if err := e.client.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		e.log.Error(err, "cannot list Services")
		return nil
	}
	var found []reconcile.Request
	for _, s := range list.Items {
		if s.Spec.Type == corev1.ServiceTypeLoadBalancer {
			found = append(found, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&s)})
		}
	}
	return found
}
