package gateway

import (
	"context"
	"reflect"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// routeKind says what a kind of route looks like.
type routeKind struct {
	name  string
	empty func() client.Object
	list  func() client.ObjectList
	read  func(client.Object) route
}

// route is what all kinds of routes have in common.
type route struct {
	object    client.Object
	kind      string
	parents   []gatewayv1.ParentReference
	hostnames []gatewayv1.Hostname
	backends  []gatewayv1.BackendObjectReference
	status    *gatewayv1.RouteStatus
}

// routeKinds returns the kinds of routes that are judged.
func routeKinds() []routeKind {
	return []routeKind{
		{"HTTPRoute", func() client.Object { return &gatewayv1.HTTPRoute{} }, func() client.ObjectList { return &gatewayv1.HTTPRouteList{} }, readHTTP},
		{"GRPCRoute", func() client.Object { return &gatewayv1.GRPCRoute{} }, func() client.ObjectList { return &gatewayv1.GRPCRouteList{} }, readGRPC},
		{"TLSRoute", func() client.Object { return &gatewayv1.TLSRoute{} }, func() client.ObjectList { return &gatewayv1.TLSRouteList{} }, readTLS},
		{"TCPRoute", func() client.Object { return &gatewayv1.TCPRoute{} }, func() client.ObjectList { return &gatewayv1.TCPRouteList{} }, readTCP},
		{"UDPRoute", func() client.Object { return &gatewayv1.UDPRoute{} }, func() client.ObjectList { return &gatewayv1.UDPRouteList{} }, readUDP},
	}
}

func readHTTP(obj client.Object) route {
	r := obj.(*gatewayv1.HTTPRoute)
	common := route{obj, "HTTPRoute", r.Spec.ParentRefs, r.Spec.Hostnames, nil, &r.Status.RouteStatus}
	for _, rule := range r.Spec.Rules {
		for _, b := range rule.BackendRefs {
			common.backends = append(common.backends, b.BackendObjectReference)
		}
		for _, f := range rule.Filters {
			if f.RequestMirror != nil {
				common.backends = append(common.backends, f.RequestMirror.BackendRef)
			}
		}
	}
	return common
}

func readGRPC(obj client.Object) route {
	r := obj.(*gatewayv1.GRPCRoute)
	common := route{obj, "GRPCRoute", r.Spec.ParentRefs, r.Spec.Hostnames, nil, &r.Status.RouteStatus}
	for _, rule := range r.Spec.Rules {
		for _, b := range rule.BackendRefs {
			common.backends = append(common.backends, b.BackendObjectReference)
		}
	}
	return common
}

func readTLS(obj client.Object) route {
	r := obj.(*gatewayv1.TLSRoute)
	common := route{obj, "TLSRoute", r.Spec.ParentRefs, r.Spec.Hostnames, nil, &r.Status.RouteStatus}
	for _, rule := range r.Spec.Rules {
		common.backends = append(common.backends, backends(rule.BackendRefs)...)
	}
	return common
}

func readTCP(obj client.Object) route {
	r := obj.(*gatewayv1.TCPRoute)
	common := route{obj, "TCPRoute", r.Spec.ParentRefs, nil, nil, &r.Status.RouteStatus}
	for _, rule := range r.Spec.Rules {
		common.backends = append(common.backends, backends(rule.BackendRefs)...)
	}
	return common
}

func readUDP(obj client.Object) route {
	r := obj.(*gatewayv1.UDPRoute)
	common := route{obj, "UDPRoute", r.Spec.ParentRefs, nil, nil, &r.Status.RouteStatus}
	for _, rule := range r.Spec.Rules {
		common.backends = append(common.backends, backends(rule.BackendRefs)...)
	}
	return common
}

func backends(refs []gatewayv1.BackendRef) []gatewayv1.BackendObjectReference {
	var list []gatewayv1.BackendObjectReference
	for _, ref := range refs {
		list = append(list, ref.BackendObjectReference)
	}
	return list
}

// gatewayOf returns the gateway that a parent reference names; ok is false for
// parents of other kinds.
func gatewayOf(namespace string, ref gatewayv1.ParentReference) (client.ObjectKey, bool) {
	if ref.Group != nil && *ref.Group != gatewayv1.GroupName || ref.Kind != nil && *ref.Kind != "Gateway" {
		return client.ObjectKey{}, false
	}
	if ref.Namespace != nil {
		namespace = string(*ref.Namespace)
	}
	return client.ObjectKey{Namespace: namespace, Name: string(ref.Name)}, true
}

// serviceOf returns the Service that a backend reference names; ok is false
// for backends of other kinds.
func serviceOf(namespace string, ref gatewayv1.BackendObjectReference) (client.ObjectKey, bool) {
	if ref.Group != nil && *ref.Group != "" || ref.Kind != nil && *ref.Kind != "Service" {
		return client.ObjectKey{}, false
	}
	if ref.Namespace != nil {
		namespace = string(*ref.Namespace)
	}
	return client.ObjectKey{Namespace: namespace, Name: string(ref.Name)}, true
}

// hostsMeet reports whether a listener's host name and a route's have a name in
// common; each may begin with a wildcard label. An empty one means all.
func hostsMeet(listener, route string) bool {
	listener, route = strings.ToLower(listener), strings.ToLower(route)
	return listener == "" || route == "" || listener == route || covers(listener, route) || covers(route, listener)
}

func covers(wildcard, name string) bool {
	suffix, ok := strings.CutPrefix(wildcard, "*")
	return ok && strings.HasSuffix(strings.TrimPrefix(name, "*"), suffix)
}

// routes returns all routes of a kind, as the cache has them.
func (e *edge) routes(ctx context.Context, kind routeKind) ([]route, error) {
	list := kind.list()
	if err := e.client.List(ctx, list); err != nil {
		return nil, err
	}
	var routes []route
	err := eachItem(list, func(obj client.Object) { routes = append(routes, kind.read(obj)) })
	return routes, err
}

func (e *edge) routesOfKind(kind routeKind) func(context.Context, client.Object) []reconcile.Request {
	return func(ctx context.Context, _ client.Object) []reconcile.Request {
		return e.routeRequests(ctx, kind, nil)
	}
}

func (e *edge) routesOfService(kind routeKind) func(context.Context, client.Object) []reconcile.Request {
	return func(ctx context.Context, service client.Object) []reconcile.Request {
		return e.routeRequests(ctx, kind, func(r route) bool {
			for _, b := range r.backends {
				if key, ok := serviceOf(r.object.GetNamespace(), b); ok && key == client.ObjectKeyFromObject(service) {
					return true
				}
			}
			return false
		})
	}
}

func (e *edge) routeRequests(ctx context.Context, kind routeKind, keep func(route) bool) []reconcile.Request {
	routes, err := e.routes(ctx, kind)
	if err != nil {
		e.log.Error(err, "cannot list routes", "kind", kind.name)
		return nil
	}
	var list []reconcile.Request
	for _, r := range routes {
		if keep == nil || keep(r) {
			list = append(list, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(r.object)})
		}
	}
	return list
}

func sameType(a, b client.Object) bool { return reflect.TypeOf(a) == reflect.TypeOf(b) }
