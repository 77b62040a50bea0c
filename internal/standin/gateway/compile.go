package gateway

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
	"hearth/internal/kube/routing"
	"hearth/internal/standin/gateway/echo"
	"hearth/internal/standin/gateway/proxy"
)

// reconcileProxies makes the proxies follow what all gateways and routes say
// now, and notes at each gateway where it answers.
func (e *edge) reconcileProxies(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	routes, err := e.allRoutes(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	services := servicesOf(routes)
	e.services.Store(&services)
	gateways := e.gateways(ctx)
	slices.SortFunc(gateways, func(a, b *gatewayv1.Gateway) int { return routing.Older(a, b) })
	var setting []proxy.Gateway
	for _, gateway := range gateways {
		g, ok, err := e.compile(ctx, gateway, routes)
		if err != nil {
			return reconcile.Result{}, err
		}
		if ok {
			setting = append(setting, g)
		}
	}
	failed := e.proxies.Apply(setting)
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	e.backends.keep(services)
	if failed != nil {
		e.Assumptions.Add(domain.AssumedOperator, "gateway", fmt.Sprintf("not every port could be opened on loopback: %v", failed))
	}
	return reconcile.Result{}, e.tell(ctx, gateways)
}

func (e *edge) allRoutes(ctx context.Context) ([]routing.Route, error) {
	var all []routing.Route
	for _, kind := range routing.Kinds() {
		routes, err := e.judge.Routes(ctx, kind)
		if err != nil {
			return nil, err
		}
		all = append(all, routes...)
	}
	return all, nil
}

// servicesOf returns the Services that routes lead to.
func servicesOf(routes []routing.Route) map[client.ObjectKey]bool {
	services := map[client.ObjectKey]bool{}
	for _, r := range routes {
		for _, b := range r.Backends {
			if key, ok := routing.ServiceOf(r.Object.GetNamespace(), b); ok {
				services[key] = true
			}
		}
	}
	return services
}

// isRoutedTo reports whether a route leads to a Service.
func (e *edge) isRoutedTo(service client.Object) bool {
	services := e.services.Load()
	return services == nil || (*services)[client.ObjectKeyFromObject(service)]
}

// compile turns a gateway and its routes into what a proxy follows; ok is false
// for one that has no proxy.
func (e *edge) compile(ctx context.Context, gateway *gatewayv1.Gateway, routes []routing.Route) (g proxy.Gateway, ok bool, err error) {
	class, err := e.judge.Class(ctx, gateway)
	if err != nil || class == nil || gateway.DeletionTimestamp != nil || len(gateway.Status.Addresses) == 0 || e.isDown(gateway) {
		return g, false, err
	}
	g = proxy.Gateway{Name: client.ObjectKeyFromObject(gateway).String(), Address: addressOf(gateway)}
	listeners := map[gatewayv1.SectionName]*proxy.Listener{}
	for _, l := range gateway.Spec.Listeners {
		listener, ok, err := e.compileListener(ctx, gateway, l)
		if err != nil {
			return g, false, err
		}
		if ok {
			listeners[l.Name] = listener
		}
	}
	for _, r := range routes {
		attached, err := e.judge.Attached(ctx, r, gateway)
		if err != nil {
			return g, false, err
		}
		for _, l := range attached {
			if listener := listeners[l.Name]; listener != nil {
				e.addRoute(ctx, listener, routing.Intersect(l.Hostname, r.Hostnames), r)
			}
		}
	}
	for _, l := range gateway.Spec.Listeners {
		if listener := listeners[l.Name]; listener != nil {
			listener.Rules.Sort()
			listener.Streams.Sort()
			g.Listeners = append(g.Listeners, *listener)
		}
	}
	return g, len(g.Listeners) > 0, nil
}

// addressOf returns a gateway's first address that is one of IP.
func addressOf(gateway *gatewayv1.Gateway) netip.Addr {
	for _, a := range gateway.Status.Addresses {
		if ip, err := netip.ParseAddr(a.Value); err == nil {
			return ip
		}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// compileListener makes a listener that has no routes yet; ok is false for one
// that is not programmed, or whose protocol is not carried.
func (e *edge) compileListener(ctx context.Context, gateway *gatewayv1.Gateway, l gatewayv1.Listener) (*proxy.Listener, bool, error) {
	listener := &proxy.Listener{
		Name: string(l.Name), Port: int32(l.Port), Hostname: strings.ToLower(string(ptr.Deref(l.Hostname, ""))),
		Rules: &routing.Table[*proxy.Rule]{}, Streams: &routing.Table[*proxy.Choice]{},
	}
	switch l.Protocol {
	case gatewayv1.HTTPProtocolType:
		listener.Protocol = proxy.HTTP
	case gatewayv1.HTTPSProtocolType:
		listener.Protocol = proxy.HTTPS
	case gatewayv1.TLSProtocolType:
		listener.Protocol = proxy.Terminate
		if passesThrough(l) {
			listener.Protocol = proxy.Passthrough
		}
	case gatewayv1.TCPProtocolType:
		listener.Protocol, listener.Hostname = proxy.TCP, ""
	default:
		return nil, false, nil
	}
	if conflict(gateway, l) != nil {
		return nil, false, nil
	}
	pairs, resolved, err := e.certificates(ctx, gateway, l)
	if err != nil || !resolved.OK {
		return nil, false, err
	}
	listener.Certificates = pairs
	return listener, true, nil
}

// addRoute lets a listener follow a route under some host names.
func (e *edge) addRoute(ctx context.Context, l *proxy.Listener, hosts []string, r routing.Route) {
	find := func(ref gatewayv1.BackendObjectReference) proxy.Backend { return e.backend(ctx, r, ref) }
	for _, rule := range routing.Rules(r) {
		compiled := proxy.NewRule(rule, find)
		for _, m := range rule.Matches {
			match, err := routing.Compile(m)
			if err != nil {
				continue // an expression that cannot be read matches nothing
			}
			for _, host := range hosts {
				l.Rules.Add(host, match, r.Object, rule.Index, compiled)
			}
		}
	}
	switch route := r.Object.(type) {
	case *gatewayv1.TLSRoute:
		for i, rule := range route.Spec.Rules {
			addStream(l, hosts, r, i, choiceOf(rule.BackendRefs, find))
		}
	case *gatewayv1.TCPRoute:
		for i, rule := range route.Spec.Rules {
			addStream(l, []string{""}, r, i, choiceOf(rule.BackendRefs, find))
		}
	}
}

func addStream(l *proxy.Listener, hosts []string, r routing.Route, rule int, choice *proxy.Choice) {
	for _, host := range hosts {
		l.Streams.Add(host, routing.Everything, r.Object, rule, choice)
	}
}

func choiceOf(refs []gatewayv1.BackendRef, find proxy.Find) *proxy.Choice {
	var backends []proxy.Weighted
	for _, ref := range refs {
		backends = append(backends, proxy.Weighted{Backend: find(ref.BackendObjectReference), Weight: ptr.Deref(ref.Weight, 1)})
	}
	return proxy.NewChoice(backends)
}

// backend returns what a backend reference of a route leads to; nil where that
// cannot be had.
func (e *edge) backend(ctx context.Context, r routing.Route, ref gatewayv1.BackendObjectReference) proxy.Backend {
	namespace := r.Object.GetNamespace()
	verdict, err := e.judge.Backend(ctx, r.Kind, namespace, ref)
	if err != nil || !verdict.OK {
		return nil
	}
	key, isService := routing.ServiceOf(namespace, ref)
	if !isService { // a kind that the class brings: whatever is behind it answers
		b := &backend{}
		b.endpoints.Store(&[]*echo.Pod{{Namespace: namespace, Name: string(ref.Name)}})
		return b
	}
	if ref.Port == nil {
		return nil
	}
	port, isNew := e.backends.port(key, int32(*ref.Port))
	if isNew {
		if err := e.fill(ctx, key); err != nil {
			e.log.Error(err, "cannot read endpoints", "service", key)
		}
	}
	return port
}
