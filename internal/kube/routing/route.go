package routing

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Kind says what a kind of route looks like.
type Kind struct {
	Name string
	// Empty and List make an empty object and an empty list of the kind.
	Empty func() client.Object
	List  func() client.ObjectList
	// Read returns what such an object has in common with other routes.
	Read func(client.Object) Route
}

// Route is what all kinds of routes have in common.
type Route struct {
	Object    client.Object
	Kind      string
	Parents   []gatewayv1.ParentReference
	Hostnames []gatewayv1.Hostname
	Backends  []gatewayv1.BackendObjectReference
	Status    *gatewayv1.RouteStatus
}

// Kinds returns the kinds of routes there are.
func Kinds() []Kind {
	return []Kind{
		{"HTTPRoute", func() client.Object { return &gatewayv1.HTTPRoute{} }, func() client.ObjectList { return &gatewayv1.HTTPRouteList{} }, readHTTP},
		{"GRPCRoute", func() client.Object { return &gatewayv1.GRPCRoute{} }, func() client.ObjectList { return &gatewayv1.GRPCRouteList{} }, readGRPC},
		{"TLSRoute", func() client.Object { return &gatewayv1.TLSRoute{} }, func() client.ObjectList { return &gatewayv1.TLSRouteList{} }, readTLS},
		{"TCPRoute", func() client.Object { return &gatewayv1.TCPRoute{} }, func() client.ObjectList { return &gatewayv1.TCPRouteList{} }, readTCP},
		{"UDPRoute", func() client.Object { return &gatewayv1.UDPRoute{} }, func() client.ObjectList { return &gatewayv1.UDPRouteList{} }, readUDP},
	}
}

func readHTTP(obj client.Object) Route {
	r := obj.(*gatewayv1.HTTPRoute)
	common := Route{obj, "HTTPRoute", r.Spec.ParentRefs, r.Spec.Hostnames, nil, &r.Status.RouteStatus}
	for _, rule := range r.Spec.Rules {
		common.addMirrors(rule.Filters)
		for _, b := range rule.BackendRefs {
			common.Backends = append(common.Backends, b.BackendObjectReference)
			common.addMirrors(b.Filters)
		}
	}
	return common
}

func (r *Route) addMirrors(filters []gatewayv1.HTTPRouteFilter) {
	for _, f := range filters {
		if f.RequestMirror != nil {
			r.Backends = append(r.Backends, f.RequestMirror.BackendRef)
		}
	}
}

func readGRPC(obj client.Object) Route {
	r := obj.(*gatewayv1.GRPCRoute)
	common := Route{obj, "GRPCRoute", r.Spec.ParentRefs, r.Spec.Hostnames, nil, &r.Status.RouteStatus}
	for _, rule := range r.Spec.Rules {
		for _, b := range rule.BackendRefs {
			common.Backends = append(common.Backends, b.BackendObjectReference)
		}
	}
	return common
}

func readTLS(obj client.Object) Route {
	r := obj.(*gatewayv1.TLSRoute)
	common := Route{obj, "TLSRoute", r.Spec.ParentRefs, r.Spec.Hostnames, nil, &r.Status.RouteStatus}
	for _, rule := range r.Spec.Rules {
		common.addBackends(rule.BackendRefs)
	}
	return common
}

func readTCP(obj client.Object) Route {
	r := obj.(*gatewayv1.TCPRoute)
	common := Route{obj, "TCPRoute", r.Spec.ParentRefs, nil, nil, &r.Status.RouteStatus}
	for _, rule := range r.Spec.Rules {
		common.addBackends(rule.BackendRefs)
	}
	return common
}

func readUDP(obj client.Object) Route {
	r := obj.(*gatewayv1.UDPRoute)
	common := Route{obj, "UDPRoute", r.Spec.ParentRefs, nil, nil, &r.Status.RouteStatus}
	for _, rule := range r.Spec.Rules {
		common.addBackends(rule.BackendRefs)
	}
	return common
}

func (r *Route) addBackends(refs []gatewayv1.BackendRef) {
	for _, ref := range refs {
		r.Backends = append(r.Backends, ref.BackendObjectReference)
	}
}

// GatewayOf returns the gateway that a parent reference names; ok is false for
// parents of other kinds.
func GatewayOf(namespace string, ref gatewayv1.ParentReference) (key client.ObjectKey, ok bool) {
	if ref.Group != nil && *ref.Group != gatewayv1.GroupName || ref.Kind != nil && *ref.Kind != "Gateway" {
		return client.ObjectKey{}, false
	}
	if ref.Namespace != nil {
		namespace = string(*ref.Namespace)
	}
	return client.ObjectKey{Namespace: namespace, Name: string(ref.Name)}, true
}

// ServiceOf returns the Service that a backend reference names; ok is false
// for backends of other kinds.
func ServiceOf(namespace string, ref gatewayv1.BackendObjectReference) (key client.ObjectKey, ok bool) {
	if ref.Group != nil && *ref.Group != "" || ref.Kind != nil && *ref.Kind != "Service" {
		return client.ObjectKey{}, false
	}
	if ref.Namespace != nil {
		namespace = string(*ref.Namespace)
	}
	return client.ObjectKey{Namespace: namespace, Name: string(ref.Name)}, true
}

// Routes returns all routes of a kind, in the order of the reader; they are the
// reader's own: read only.
func (j Judge) Routes(ctx context.Context, kind Kind) ([]Route, error) {
	list := kind.List()
	if err := j.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	var routes []Route
	err := meta.EachListItem(list, func(obj runtime.Object) error {
		if o, ok := obj.(client.Object); ok {
			routes = append(routes, kind.Read(o))
		}
		return nil
	})
	return routes, err
}
