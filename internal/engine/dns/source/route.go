package source

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/engine/dns/annotation"
	"hearth/internal/engine/dns/record"
)

// route is what the kinds of routes have in common.
type route struct {
	metav1.Object
	kind     string // in lower case, as ownership records have it
	protocol gatewayv1.ProtocolType
	hosts    []gatewayv1.Hostname
	parents  []gatewayv1.ParentReference
	status   []gatewayv1.RouteParentStatus
}

// routes reads the routes of one kind.
func (r *reading) routes(source string) {
	var list []route
	switch source {
	case HTTPRoute:
		for i := range r.HTTPRoutes {
			one := &r.HTTPRoutes[i]
			list = append(list, route{one, "httproute", gatewayv1.HTTPProtocolType, one.Spec.Hostnames, one.Spec.ParentRefs, one.Status.Parents})
		}
	case GRPCRoute:
		for i := range r.GRPCRoutes {
			one := &r.GRPCRoutes[i]
			list = append(list, route{one, "grpcroute", gatewayv1.HTTPSProtocolType, one.Spec.Hostnames, one.Spec.ParentRefs, one.Status.Parents})
		}
	case TLSRoute:
		for i := range r.TLSRoutes {
			one := &r.TLSRoutes[i]
			list = append(list, route{one, "tlsroute", gatewayv1.TLSProtocolType, one.Spec.Hostnames, one.Spec.ParentRefs, one.Status.Parents})
		}
	}
	for _, one := range list {
		a, ok := r.wanted(one)
		if !ok {
			continue
		}
		resource := one.kind + "/" + one.GetNamespace() + "/" + one.GetName()
		for host, targets := range r.attached(one, r.namesOf(one, a)) {
			r.add(host, resource, targets, a)
		}
	}
}

// namesOf returns the names that a route asks for; "" stands for whatever its
// listeners have.
func (r *reading) namesOf(one route, a annotation.Set) []string {
	var names []string
	for _, host := range one.hosts {
		names = append(names, string(host))
	}
	switch a.HostnameSource() {
	case "annotation-only":
		return r.hostnames(a)
	case "defined-hosts-only":
		return names
	}
	names = append(names, r.hostnames(a)...)
	if len(one.hosts) == 0 {
		names = append(names, "")
	}
	return names
}

// attached returns where the names lead: to the addresses, or the targets, of
// the Gateways that have accepted the route.
func (r *reading) attached(one route, names []string) map[string][]string {
	leads := map[string][]string{}
	for _, parent := range one.status {
		ref := parent.ParentRef
		gw := r.gateway(one, ref)
		if gw == nil || !slices.ContainsFunc(one.parents, func(p gatewayv1.ParentReference) bool { return sameGateway(one, p, ref) }) ||
			!meta.IsStatusConditionTrue(parent.Conditions, string(gatewayv1.RouteConditionAccepted)) {
			continue
		}
		targets := r.annotations(gw.Annotations).Targets()
		if len(targets) == 0 {
			for _, address := range gw.Status.Addresses {
				targets = append(targets, address.Value)
			}
		}
		for _, l := range gw.Spec.Listeners {
			if ref.SectionName != nil && *ref.SectionName != l.Name || ref.Port != nil && *ref.Port != l.Port || !r.admits(gw, l, one) {
				continue
			}
			for _, name := range names {
				if host, ok := intersect(value(l.Hostname), name); ok {
					leads[host] = append(leads[host], targets...)
				}
			}
		}
	}
	return leads
}

// gateway returns the Gateway that a route refers to, if it may be used.
func (r *reading) gateway(one route, ref gatewayv1.ParentReference) *gatewayv1.Gateway {
	if !isGateway(ref) {
		return nil
	}
	for i := range r.Gateways {
		gw := &r.Gateways[i]
		if gw.Name != string(ref.Name) || gw.Namespace != namespaceOf(one, ref) {
			continue
		}
		if s := r.settings; s.GatewayName != "" && s.GatewayName != gw.Name ||
			s.GatewayNamespace != "" && s.GatewayNamespace != gw.Namespace || !s.GatewayLabels.Matches(labels.Set(gw.Labels)) {
			return nil
		}
		return gw
	}
	return nil
}

func isGateway(ref gatewayv1.ParentReference) bool {
	return (ref.Group == nil || *ref.Group == gatewayv1.GroupName) && (ref.Kind == nil || *ref.Kind == "Gateway")
}

func namespaceOf(one route, ref gatewayv1.ParentReference) string {
	if ref.Namespace != nil {
		return string(*ref.Namespace)
	}
	return one.GetNamespace()
}

func sameGateway(one route, a, b gatewayv1.ParentReference) bool {
	return isGateway(a) && isGateway(b) && a.Name == b.Name && namespaceOf(one, a) == namespaceOf(one, b)
}

// admits reports whether a listener takes routes of the kind and namespace.
func (r *reading) admits(gw *gatewayv1.Gateway, l gatewayv1.Listener, one route) bool {
	if plain(l.Protocol) != plain(one.protocol) {
		return false
	}
	allowed := l.AllowedRoutes
	if allowed == nil {
		return gw.Namespace == one.GetNamespace()
	}
	if len(allowed.Kinds) > 0 && !slices.ContainsFunc(allowed.Kinds, func(k gatewayv1.RouteGroupKind) bool {
		return (k.Group == nil || *k.Group == gatewayv1.GroupName) && strings.EqualFold(string(k.Kind), one.kind)
	}) {
		return false
	}
	from := gatewayv1.NamespacesFromSame
	if allowed.Namespaces != nil && allowed.Namespaces.From != nil {
		from = *allowed.Namespaces.From
	}
	switch from {
	case gatewayv1.NamespacesFromAll:
		return true
	case gatewayv1.NamespacesFromSame:
		return gw.Namespace == one.GetNamespace()
	case gatewayv1.NamespacesFromSelector:
		selector, err := metav1.LabelSelectorAsSelector(allowed.Namespaces.Selector)
		i := slices.IndexFunc(r.Namespaces, func(n corev1.Namespace) bool { return n.Name == one.GetNamespace() })
		return err == nil && i >= 0 && selector.Matches(labels.Set(r.Namespaces[i].Labels))
	}
	return false
}

// plain takes encryption off a protocol: a route that is attached speaks the
// same inside it.
func plain(p gatewayv1.ProtocolType) gatewayv1.ProtocolType {
	if p == gatewayv1.HTTPSProtocolType {
		return gatewayv1.HTTPProtocolType
	}
	return p
}

// intersect returns the names that a listener and a route have in common. An
// empty one has all.
func intersect(listener, name string) (string, bool) {
	listener, name = record.Canonical(listener), record.Canonical(name)
	for _, one := range []string{listener, name} {
		if _, err := netip.ParseAddr(one); one != "" && (err == nil || !record.ValidName(one)) {
			return "", false
		}
	}
	switch {
	case listener == "" || listener == name:
		return name, name != ""
	case name == "":
		return listener, true
	case strings.HasPrefix(listener, "*.") && strings.HasSuffix(name, listener[1:]):
		return name, true
	case strings.HasPrefix(name, "*.") && strings.HasSuffix(listener, name[1:]):
		return listener, true
	}
	return "", false
}

func value[T ~string](p *T) string {
	if p == nil {
		return ""
	}
	return string(*p)
}
