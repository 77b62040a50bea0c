package trace

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/kube/routing"
)

// enter finds the gateway that the request reaches, and returns it with all
// routes there are; nil means that the trace has ended.
func (w *walk) enter(ctx context.Context, addresses []netip.Addr) (*gatewayv1.Gateway, []routing.Route, error) {
	gateways := &gatewayv1.GatewayList{}
	if err := w.judge.List(ctx, gateways); err != nil {
		return nil, nil, fmt.Errorf("list Gateways: %w", err)
	}
	var routes []routing.Route
	for _, kind := range routing.Kinds()[:3] { // those that have host names
		list, err := w.judge.Routes(ctx, kind)
		if apimeta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("list %ss: %w", kind.Name, err)
		}
		routes = append(routes, list...)
	}
	gateway, err := w.find(ctx, gateways.Items, routes, addresses)
	if err != nil || gateway == nil {
		return nil, nil, err
	}
	return w.judgeGateway(gateway), routes, nil
}

// find chooses the gateway: the one that was named, or has one of the
// addresses, or else the one that a route for the host attaches to.
func (w *walk) find(ctx context.Context, gateways []gatewayv1.Gateway, routes []routing.Route, addresses []netip.Addr) (*gatewayv1.Gateway, error) {
	slices.SortFunc(gateways, func(a, b gatewayv1.Gateway) int { return strings.Compare(name(&a), name(&b)) })
	if w.Gateway != "" {
		for i := range gateways {
			if name(&gateways[i]) == w.Gateway || gateways[i].Name == w.Gateway {
				return &gateways[i], nil
			}
		}
		w.ends(StepGateway, "Gateway "+w.Gateway, "there is none of this name%s", listed(gateways))
		return nil, nil
	}
	for i := range gateways {
		if hasAddress(&gateways[i], addresses) {
			return &gateways[i], nil
		}
	}
	if len(addresses) > 0 {
		w.ends(StepGateway, join(addresses), "is the address of no gateway%s", listed(gateways))
		return nil, nil
	}
	named := func(_ gatewayv1.Listener, r routing.Route) bool { return w.names(r) }
	for _, fits := range []func(gatewayv1.Listener, routing.Route) bool{named, w.serves} {
		for i := range gateways {
			ok, err := w.anyRoute(ctx, &gateways[i], routes, fits)
			if err != nil {
				return nil, err
			}
			if ok {
				return &gateways[i], nil
			}
		}
	}
	return nil, w.explainNone(ctx, gateways, routes)
}

// anyRoute reports whether a route that is attached to a gateway fits.
func (w *walk) anyRoute(ctx context.Context, g *gatewayv1.Gateway, routes []routing.Route, fits func(gatewayv1.Listener, routing.Route) bool) (bool, error) {
	for _, r := range routes {
		listeners, err := w.judge.Attached(ctx, r, g)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(listeners, func(l gatewayv1.Listener) bool { return fits(l, r) }) {
			return true, nil
		}
	}
	return false, nil
}

// names reports whether a route names the host itself.
func (w *walk) names(r routing.Route) bool {
	return slices.ContainsFunc(r.Hostnames, func(h gatewayv1.Hostname) bool { return routing.Matches(strings.ToLower(string(h)), w.host) })
}

// serves reports whether a route has the host on a listener that takes the
// request.
func (w *walk) serves(l gatewayv1.Listener, r routing.Route) bool {
	return w.takes(l) && slices.ContainsFunc(routing.Intersect(l.Hostname, r.Hostnames), func(h string) bool { return routing.Matches(h, w.host) })
}

// takes reports whether a listener speaks what the request does.
func (w *walk) takes(l gatewayv1.Listener) bool {
	if port := w.Request.URL.Port(); port != "" && port != fmt.Sprint(l.Port) {
		return false
	}
	if w.Request.URL.Scheme == "http" {
		return l.Protocol == gatewayv1.HTTPProtocolType
	}
	return l.Protocol == gatewayv1.HTTPSProtocolType || l.Protocol == gatewayv1.TLSProtocolType
}

// explainNone says why no gateway serves the host.
func (w *walk) explainNone(ctx context.Context, gateways []gatewayv1.Gateway, routes []routing.Route) error {
	for _, r := range routes {
		if !w.names(r) {
			continue
		}
		subject := r.Kind + " " + name(r.Object)
		for _, ref := range r.Parents {
			key, ok := routing.GatewayOf(r.Object.GetNamespace(), ref)
			if !ok {
				continue
			}
			gateway := find(gateways, key)
			if gateway == nil {
				w.ends(StepRoute, subject, "its parentRef names Gateway %s, which does not exist%s", key, listed(gateways))
				return nil
			}
			_, verdict, err := w.judge.Attach(ctx, r, gateway, ref)
			if err != nil {
				return err
			}
			if !verdict.OK {
				w.ends(StepRoute, subject, "Gateway %s does not take it: %s: %s", key, verdict.Reason, verdict.Message)
				return nil
			}
		}
		w.ends(StepRoute, subject, "has the host, but none of its gateways' listeners takes %s", w.Report.URL)
		return nil
	}
	w.ends(StepRoute, w.host, "no route of the cluster has this host name")
	return nil
}

func find(gateways []gatewayv1.Gateway, key client.ObjectKey) *gatewayv1.Gateway {
	for i := range gateways {
		if client.ObjectKeyFromObject(&gateways[i]) == key {
			return &gateways[i]
		}
	}
	return nil
}

// judgeGateway notes whether the gateway works, and returns it if it does.
func (w *walk) judgeGateway(g *gatewayv1.Gateway) *gatewayv1.Gateway {
	subject := "Gateway " + name(g)
	if why := refusal(g.Status.Conditions, string(gatewayv1.GatewayConditionAccepted), string(gatewayv1.GatewayConditionProgrammed)); why != "" {
		w.ends(StepGateway, subject, "%s", why)
		return nil
	}
	var addresses []string
	for _, a := range g.Status.Addresses {
		addresses = append(addresses, a.Value)
	}
	w.goesOn(StepGateway, subject, "programmed, at %s", strings.Join(addresses, ", "))
	return g
}

// refusal returns why one of some conditions does not hold; "" where all do.
func refusal(conditions []metav1.Condition, kinds ...string) string {
	for _, kind := range kinds {
		c := apimeta.FindStatusCondition(conditions, kind)
		switch {
		case c == nil || c.Status == metav1.ConditionUnknown:
			return fmt.Sprintf("no controller has said whether it is %s: does the one of its class run?", kind)
		case c.Status != metav1.ConditionTrue:
			return fmt.Sprintf("is not %s: %s: %s", kind, c.Reason, c.Message)
		}
	}
	return ""
}

// listen finds the listener that takes the request: the one with the most
// specific host name.
func (w *walk) listen(g *gatewayv1.Gateway) (gatewayv1.Listener, bool) {
	var best *gatewayv1.Listener
	var all []string
	for i, l := range g.Spec.Listeners {
		host := strings.ToLower(string(ptr.Deref(l.Hostname, "")))
		all = append(all, fmt.Sprintf("%s (%s %d %s)", l.Name, l.Protocol, l.Port, orAll(host)))
		if w.takes(l) && routing.Matches(host, w.host) &&
			(best == nil || routing.CompareHosts(host, strings.ToLower(string(ptr.Deref(best.Hostname, "")))) < 0) {
			best = &g.Spec.Listeners[i]
		}
	}
	if best == nil {
		w.ends(StepListener, "Gateway "+name(g), "none of its listeners takes %s: there are %s", w.Report.URL, strings.Join(all, ", "))
		return gatewayv1.Listener{}, false
	}
	for _, status := range g.Status.Listeners {
		if status.Name != best.Name {
			continue
		}
		for _, kind := range []gatewayv1.ListenerConditionType{gatewayv1.ListenerConditionAccepted, gatewayv1.ListenerConditionResolvedRefs, gatewayv1.ListenerConditionProgrammed} {
			if c := apimeta.FindStatusCondition(status.Conditions, string(kind)); c != nil && c.Status == metav1.ConditionFalse {
				w.ends(StepListener, string(best.Name), "is not %s: %s: %s", kind, c.Reason, c.Message)
				return gatewayv1.Listener{}, false
			}
		}
	}
	w.goesOn(StepListener, string(best.Name), "%s, port %d, for %s", best.Protocol, best.Port, orAll(string(ptr.Deref(best.Hostname, ""))))
	return *best, true
}

func orAll(host string) string {
	if host == "" {
		return "all hosts"
	}
	return host
}

func name(obj client.Object) string { return client.ObjectKeyFromObject(obj).String() }

func hasAddress(g *gatewayv1.Gateway, addresses []netip.Addr) bool {
	return slices.ContainsFunc(g.Status.Addresses, func(a gatewayv1.GatewayStatusAddress) bool {
		ip, err := netip.ParseAddr(a.Value)
		return err == nil && slices.Contains(addresses, ip)
	})
}

func join(addresses []netip.Addr) string {
	var list []string
	for _, a := range addresses {
		list = append(list, a.String())
	}
	return strings.Join(list, ", ")
}

// listed names the gateways there are, with their addresses.
func listed(gateways []gatewayv1.Gateway) string {
	if len(gateways) == 0 {
		return "; the cluster has no gateways"
	}
	var list []string
	for i := range gateways {
		entry := name(&gateways[i])
		for _, a := range gateways[i].Status.Addresses {
			entry += " " + a.Value
		}
		list = append(list, entry)
	}
	return "; there are " + strings.Join(list, ", ")
}
