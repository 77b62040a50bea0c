package routing

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// KindsOf returns the kinds of routes that a protocol takes where the listener
// names none; none means that the protocol is not known.
func KindsOf(protocol gatewayv1.ProtocolType) []string {
	switch protocol {
	case gatewayv1.HTTPProtocolType, gatewayv1.HTTPSProtocolType:
		return []string{"HTTPRoute", "GRPCRoute"}
	case gatewayv1.TLSProtocolType:
		return []string{"TLSRoute"}
	case gatewayv1.TCPProtocolType:
		return []string{"TCPRoute"}
	case gatewayv1.UDPProtocolType:
		return []string{"UDPRoute"}
	}
	return nil
}

// AllowedKinds returns the kinds of routes that may attach to a listener: those
// its protocol takes, and of these the ones it names.
func AllowedKinds(l gatewayv1.Listener) []string {
	kinds := KindsOf(l.Protocol)
	if l.AllowedRoutes == nil || len(l.AllowedRoutes.Kinds) == 0 {
		return kinds
	}
	return slices.DeleteFunc(kinds, func(kind string) bool {
		return !slices.ContainsFunc(l.AllowedRoutes.Kinds, func(k gatewayv1.RouteGroupKind) bool {
			return string(k.Kind) == kind && (k.Group == nil || *k.Group == gatewayv1.GroupName)
		})
	})
}

// Attach judges whether a route may attach to a gateway by one parent
// reference, and returns the listeners that it attaches to.
func (j Judge) Attach(ctx context.Context, r Route, gateway *gatewayv1.Gateway, ref gatewayv1.ParentReference) ([]gatewayv1.Listener, Verdict, error) {
	attached, verdict, err := j.attach(ctx, r, gateway, ref)
	if err != nil || !verdict.OK {
		return nil, verdict, err
	}
	return j.givenWay(ctx, r, gateway, attached)
}

// attach judges a route as if it were alone.
func (j Judge) attach(ctx context.Context, r Route, gateway *gatewayv1.Gateway, ref gatewayv1.ParentReference) ([]gatewayv1.Listener, Verdict, error) {
	var named, allowed, attached []gatewayv1.Listener
	for _, l := range gateway.Spec.Listeners {
		if ref.SectionName != nil && *ref.SectionName != l.Name || ref.Port != nil && *ref.Port != l.Port {
			continue
		}
		named = append(named, l)
		ok, err := j.namespaceAllowed(ctx, r.Object.GetNamespace(), gateway, l)
		if err != nil {
			return nil, Verdict{}, err
		}
		if !ok || !slices.Contains(AllowedKinds(l), r.Kind) {
			continue
		}
		allowed = append(allowed, l)
		if len(Intersect(l.Hostname, r.Hostnames)) > 0 {
			attached = append(attached, l)
		}
	}
	switch {
	case len(named) == 0:
		return nil, Verdict{false, string(gatewayv1.RouteReasonNoMatchingParent), "There are no listeners matching this parent ref"}, nil
	case len(allowed) == 0:
		return nil, Verdict{false, string(gatewayv1.RouteReasonNotAllowedByListeners), "No listeners included by this parent ref allowed this attachment."}, nil
	case len(attached) == 0:
		return nil, Verdict{false, string(gatewayv1.RouteReasonNoMatchingListenerHostname), "There were no hostname intersections between the Route and this parent ref's Listener(s)."}, nil
	}
	return attached, Verdict{true, string(gatewayv1.RouteReasonAccepted), "Route is accepted"}, nil
}

// namespaceAllowed reports whether routes of a namespace may attach to a listener.
func (j Judge) namespaceAllowed(ctx context.Context, namespace string, gateway *gatewayv1.Gateway, l gatewayv1.Listener) (bool, error) {
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
	if err := j.Get(ctx, client.ObjectKey{Name: namespace}, ns); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return selector.Matches(labels.Set(ns.Labels)), nil
}

// Attached returns the listeners of a gateway that a route attaches to, by any
// of its parent references, each once.
func (j Judge) Attached(ctx context.Context, r Route, gateway *gatewayv1.Gateway) ([]gatewayv1.Listener, error) {
	var attached []gatewayv1.Listener
	for _, ref := range r.Parents {
		if key, ok := GatewayOf(r.Object.GetNamespace(), ref); !ok || key != client.ObjectKeyFromObject(gateway) {
			continue
		}
		listeners, _, err := j.Attach(ctx, r, gateway, ref)
		if err != nil {
			return nil, err
		}
		for _, l := range listeners {
			if !slices.ContainsFunc(attached, func(had gatewayv1.Listener) bool { return had.Name == l.Name }) {
				attached = append(attached, l)
			}
		}
	}
	return attached, nil
}
