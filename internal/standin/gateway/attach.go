package gateway

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// kindsOf returns the kinds of routes that a protocol takes where the listener
// names none.
func kindsOf(protocol gatewayv1.ProtocolType) []string {
	switch protocol {
	case gatewayv1.HTTPProtocolType, gatewayv1.HTTPSProtocolType:
		return []string{"HTTPRoute", "GRPCRoute"}
	case gatewayv1.TLSProtocolType:
		return []string{"TLSRoute", "TCPRoute"}
	case gatewayv1.TCPProtocolType:
		return []string{"TCPRoute"}
	case gatewayv1.UDPProtocolType:
		return []string{"UDPRoute"}
	}
	return nil
}

// allowedKinds returns the kinds of routes that may attach to a listener: those
// its protocol takes, and of these the ones it names.
func allowedKinds(l gatewayv1.Listener) []string {
	kinds := kindsOf(l.Protocol)
	if l.AllowedRoutes == nil || len(l.AllowedRoutes.Kinds) == 0 {
		return kinds
	}
	return slices.DeleteFunc(kinds, func(kind string) bool {
		return !slices.ContainsFunc(l.AllowedRoutes.Kinds, func(k gatewayv1.RouteGroupKind) bool {
			return string(k.Kind) == kind && (k.Group == nil || *k.Group == gatewayv1.GroupName)
		})
	})
}

// verdict is a condition's content.
type verdict struct {
	ok              bool
	reason, message string
}

// attach judges whether a route may attach to a gateway by one parent
// reference, and returns the names of the listeners it attaches to.
func (e *edge) attach(ctx context.Context, r route, gateway *gatewayv1.Gateway, ref gatewayv1.ParentReference) ([]gatewayv1.SectionName, verdict, error) {
	var named, allowed []gatewayv1.Listener
	var attached []gatewayv1.SectionName
	for _, l := range gateway.Spec.Listeners {
		if ref.SectionName != nil && *ref.SectionName != l.Name || ref.Port != nil && *ref.Port != l.Port {
			continue
		}
		named = append(named, l)
		ok, err := e.namespaceAllowed(ctx, r.object.GetNamespace(), gateway, l)
		if err != nil {
			return nil, verdict{}, err
		}
		if !ok || !slices.Contains(allowedKinds(l), r.kind) {
			continue
		}
		allowed = append(allowed, l)
		if hostnamesMeet(l, r.hostnames) {
			attached = append(attached, l.Name)
		}
	}
	switch {
	case len(named) == 0:
		return nil, verdict{false, string(gatewayv1.RouteReasonNoMatchingParent), "There are no listeners matching this parent ref"}, nil
	case len(allowed) == 0:
		return nil, verdict{false, string(gatewayv1.RouteReasonNotAllowedByListeners), "No listeners included by this parent ref allowed this attachment."}, nil
	case len(attached) == 0:
		return nil, verdict{false, string(gatewayv1.RouteReasonNoMatchingListenerHostname), "There were no hostname intersections between the Route and this parent ref's Listener(s)."}, nil
	}
	return attached, verdict{true, string(gatewayv1.RouteReasonAccepted), "Route is accepted"}, nil
}

func hostnamesMeet(l gatewayv1.Listener, route []gatewayv1.Hostname) bool {
	if l.Hostname == nil || len(route) == 0 {
		return true
	}
	return slices.ContainsFunc(route, func(h gatewayv1.Hostname) bool { return hostsMeet(string(*l.Hostname), string(h)) })
}

// namespaceAllowed reports whether routes of a namespace may attach to a listener.
func (e *edge) namespaceAllowed(ctx context.Context, namespace string, gateway *gatewayv1.Gateway, l gatewayv1.Listener) (bool, error) {
	from := gatewayv1.NamespacesFromSame
	if l.AllowedRoutes != nil && l.AllowedRoutes.Namespaces != nil && l.AllowedRoutes.Namespaces.From != nil {
		from = *l.AllowedRoutes.Namespaces.From
	}
	switch from {
	case gatewayv1.NamespacesFromAll:
		return true, nil
	case gatewayv1.NamespacesFromSame:
		return namespace == gateway.Namespace, nil
	case gatewayv1.NamespacesFromSelector:
	default:
		return false, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(l.AllowedRoutes.Namespaces.Selector)
	if err != nil {
		return false, nil // selects nothing
	}
	ns := &corev1.Namespace{}
	if err := e.client.Get(ctx, client.ObjectKey{Name: namespace}, ns); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return selector.Matches(labels.Set(ns.Labels)), nil
}

// resolve judges a route's backends by the Services and grants there are.
func (e *edge) resolve(ctx context.Context, r route) (verdict, error) {
	namespace := r.object.GetNamespace()
	for _, ref := range r.backends {
		key, isService := serviceOf(namespace, ref)
		if !isService {
			if ref.Group == nil || *ref.Group == "" {
				return verdict{false, string(gatewayv1.RouteReasonInvalidKind), fmt.Sprintf("Backend %s is of the unknown kind %s.", ref.Name, *ref.Kind)}, nil
			}
			continue // the class' own kinds of backends are its own affair
		}
		if key.Namespace != namespace {
			ok, err := e.granted(ctx, grantRequest{gatewayv1.GroupName, r.kind, namespace, "", "Service", key})
			if err != nil {
				return verdict{}, err
			}
			if !ok {
				return verdict{false, string(gatewayv1.RouteReasonRefNotPermitted), fmt.Sprintf("Backend ref to Service %s not permitted by any ReferenceGrant.", key)}, nil
			}
		}
		service := &corev1.Service{}
		err := e.client.Get(ctx, key, service)
		if apierrors.IsNotFound(err) {
			return verdict{false, string(gatewayv1.RouteReasonBackendNotFound), fmt.Sprintf("Service %s not found", key)}, nil
		}
		if err != nil {
			return verdict{}, err
		}
		if ref.Port != nil && !hasPort(service, *ref.Port) {
			return verdict{false, "PortNotFound", fmt.Sprintf("Service %s has no port %d", key, *ref.Port)}, nil
		}
	}
	return verdict{true, string(gatewayv1.RouteReasonResolvedRefs), "Resolved all the Object references for the Route"}, nil
}

func hasPort(service *corev1.Service, port gatewayv1.PortNumber) bool {
	return slices.ContainsFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Port == port })
}

// grantRequest asks whether objects of one namespace may refer to one of another.
type grantRequest struct {
	fromGroup, fromKind, fromNamespace string
	toGroup, toKind                    string
	to                                 client.ObjectKey
}

func (e *edge) granted(ctx context.Context, q grantRequest) (bool, error) {
	grants := &gatewayv1.ReferenceGrantList{}
	if err := e.client.List(ctx, grants, client.InNamespace(q.to.Namespace)); err != nil {
		return false, err
	}
	for _, grant := range grants.Items {
		from := slices.ContainsFunc(grant.Spec.From, func(f gatewayv1.ReferenceGrantFrom) bool {
			return string(f.Group) == q.fromGroup && string(f.Kind) == q.fromKind && string(f.Namespace) == q.fromNamespace
		})
		to := slices.ContainsFunc(grant.Spec.To, func(t gatewayv1.ReferenceGrantTo) bool {
			return string(t.Group) == q.toGroup && string(t.Kind) == q.toKind && (t.Name == nil || string(*t.Name) == q.to.Name)
		})
		if from && to {
			return true, nil
		}
	}
	return false, nil
}

// eachItem calls f for every object of a list.
func eachItem(list client.ObjectList, f func(client.Object)) error {
	return meta.EachListItem(list, func(obj runtime.Object) error {
		if o, ok := obj.(client.Object); ok {
			f(o)
		}
		return nil
	})
}
