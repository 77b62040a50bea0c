package routing

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// kindsOf returns the kinds of routes that a protocol takes; none for one that
// the Gateway API does not define.
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

// takesKind reports whether routes of a kind may attach to the listener.
func (l listener) takesKind(kind string) bool {
	if l.AllowedRoutes != nil && len(l.AllowedRoutes.Kinds) > 0 {
		return slices.ContainsFunc(l.AllowedRoutes.Kinds, func(k gatewayv1.RouteGroupKind) bool {
			return string(k.Kind) == kind && (k.Group == nil || *k.Group == gatewayGroup)
		})
	}
	kinds := kindsOf(l.Protocol)
	return kinds == nil || slices.Contains(kinds, kind)
}

// namespaces returns which namespaces the listener takes routes of.
func (l listener) namespaces() (from gatewayv1.FromNamespaces, selector *metav1.LabelSelector) {
	from = gatewayv1.NamespacesFromSame
	if l.AllowedRoutes == nil || l.AllowedRoutes.Namespaces == nil {
		return from, nil
	}
	if l.AllowedRoutes.Namespaces.From != nil {
		from = *l.AllowedRoutes.Namespaces.From
	}
	return from, l.AllowedRoutes.Namespaces.Selector
}

// takesNamespace tells whether routes of a namespace may attach to a listener.
func (n *network) takesNamespace(l listener, namespace string) (ok, known bool) {
	from, selector := l.namespaces()
	switch from {
	case gatewayv1.NamespacesFromAll:
		return true, true
	case gatewayv1.NamespacesFromSame:
		return namespace == l.gateway.GetNamespace(), !n.State.Unknown(namespace)
	case gatewayv1.NamespacesFromNone:
		return false, true
	case gatewayv1.NamespacesFromSelector:
		return n.selects(selector, namespace)
	}
	return false, false
}

// selects tells whether a selector finds a namespace by the labels that it has
// in the tree.
func (n *network) selects(selector *metav1.LabelSelector, namespace string) (ok, known bool) {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return false, false
	}
	set := labels.Set{"kubernetes.io/metadata.name": namespace}
	if parsed.Matches(set) {
		return true, true
	}
	o := n.State.Find("", "Namespace", "", namespace)
	if o == nil {
		return false, false
	}
	for name, value := range o.GetLabels() {
		if n.State.Unknown(name) || n.State.Unknown(value) {
			return false, false
		}
		set[name] = value
	}
	return parsed.Matches(set), true
}

// attachment is what one parent reference of a route leads to at a gateway.
type attachment struct {
	gateway *gateway
	// named are the listeners that the reference selects; allowed of these,
	// those that take the route's kind and namespace.
	named, allowed []listener
	// known says that nothing about them is uncertain.
	known bool
}

// attach follows a parent reference to a gateway; nil where it leads to
// something else or where the gateway is not known.
func (n *network) attach(r *route, ref gatewayv1.ParentReference) *attachment {
	g := n.gateways[parentKey(r.GetNamespace(), ref)]
	if g == nil || g.GroupVersionKind().Group != parentGroup(ref) {
		return nil
	}
	a := &attachment{gateway: g, known: !g.open}
	for _, l := range g.listeners {
		if ref.SectionName != nil && *ref.SectionName != l.Name || ref.Port != nil && *ref.Port != l.Port {
			continue
		}
		a.named = append(a.named, l)
		ok, known := n.takesNamespace(l, r.GetNamespace())
		a.known = a.known && known
		if ok && l.takesKind(r.GetKind()) {
			a.allowed = append(a.allowed, l)
		}
	}
	return a
}

// accepting returns the listeners of an attachment that answer one of the
// route's hostnames; known is false where others may.
func (n *network) accepting(r *route, a *attachment) (accepting []listener, known bool) {
	known = a.known
	for _, l := range a.allowed {
		ok, sure := n.answers(l, r.hostnames...)
		known = known && sure
		if ok {
			accepting = append(accepting, l)
		}
	}
	return accepting, known
}

// answers tells whether a listener answers one of several hostnames; it answers
// a route that names none.
func (n *network) answers(l listener, hostnames ...string) (ok, known bool) {
	if l.Hostname == nil || *l.Hostname == "" || len(hostnames) == 0 {
		return true, true
	}
	known = true
	for _, h := range hostnames {
		meet, sure := n.meet(string(*l.Hostname), h)
		if meet && sure {
			return true, true
		}
		known = known && sure
	}
	return false, known
}
