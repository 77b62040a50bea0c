package trace

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/kube/routing"
)

// choose finds the rule that the request follows on a listener.
func (w *walk) choose(ctx context.Context, gateway *gatewayv1.Gateway, l gatewayv1.Listener, routes []routing.Route) (*routing.Rule, bool, error) {
	table := &routing.Table[*routing.Rule]{}
	streams := &routing.Table[*routing.Rule]{}
	var hosts []string
	for _, r := range routes {
		attached, err := w.judge.Attached(ctx, r, gateway)
		if err != nil {
			return nil, false, err
		}
		if !slices.ContainsFunc(attached, func(a gatewayv1.Listener) bool { return a.Name == l.Name }) {
			continue
		}
		for _, host := range routing.Intersect(l.Hostname, r.Hostnames) {
			hosts = append(hosts, orAll(host))
			add(table, streams, host, r)
		}
	}
	if tlsRules := streams; l.Protocol == gatewayv1.TLSProtocolType {
		table = tlsRules
	}
	table.Sort()
	if !table.Serves(w.host) {
		return nil, false, w.explainUnserved(ctx, gateway, l, routes, hosts)
	}
	request := &http.Request{Method: w.Method, URL: w.Request.URL, Header: w.Header, Host: w.Request.URL.Host}
	rule, match, ok := table.Find(w.host, request)
	if !ok {
		w.ends(StepRule, w.Request.URL.EscapedPath(), "no rule for the host takes %s %s: the gateway answers 404", w.Method, w.Request.URL.EscapedPath())
		return nil, false, nil
	}
	subject := rule.Kind + " " + name(rule.Route)
	if why := w.refused(rule, gateway, l); why != "" {
		w.ends(StepRoute, subject, "%s", why)
		return nil, false, nil
	}
	w.goesOn(StepRoute, subject, "attached to the listener, has the host")
	return rule, w.judgeRule(rule, match), nil
}

// add lets a host be served by the rules of a route.
func add(table, streams *routing.Table[*routing.Rule], host string, r routing.Route) {
	rules := routing.Rules(r)
	for i := range rules {
		for _, m := range rules[i].Matches {
			if match, err := routing.Compile(m); err == nil {
				table.Add(host, match, r.Object, rules[i].Index, &rules[i])
			}
		}
	}
	route, ok := r.Object.(*gatewayv1.TLSRoute)
	if !ok {
		return
	}
	for i, rule := range route.Spec.Rules {
		backends := make([]gatewayv1.HTTPBackendRef, 0, len(rule.BackendRefs))
		for _, b := range rule.BackendRefs {
			backends = append(backends, gatewayv1.HTTPBackendRef{BackendRef: b})
		}
		streams.Add(host, routing.Everything, route, i, &routing.Rule{Route: route, Kind: r.Kind, Index: i, Backends: backends})
	}
}

// explainUnserved says why no route serves the host on the listener: one that
// has it was refused, or there is none.
func (w *walk) explainUnserved(ctx context.Context, gateway *gatewayv1.Gateway, l gatewayv1.Listener, routes []routing.Route, hosts []string) error {
	for _, r := range routes {
		if !w.names(r) {
			continue
		}
		for _, ref := range r.Parents {
			key, ok := routing.GatewayOf(r.Object.GetNamespace(), ref)
			if !ok || key != client.ObjectKeyFromObject(gateway) {
				continue
			}
			_, verdict, err := w.judge.Attach(ctx, r, gateway, ref)
			if err != nil {
				return err
			}
			if !verdict.OK {
				w.ends(StepRoute, r.Kind+" "+name(r.Object), "the gateway does not take it: %s: %s", verdict.Reason, verdict.Message)
				return nil
			}
		}
	}
	slices.Sort(hosts)
	hosts = slices.Compact(hosts)
	if len(hosts) > 20 {
		hosts = append(hosts[:20], "…")
	}
	w.ends(StepRoute, w.host, "no route that is attached to the listener %s has the host: the gateway answers 404; those attached have %s", l.Name, orNone(hosts))
	return nil
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// refused returns why the gateway's controller does not take a route.
func (w *walk) refused(rule *routing.Rule, gateway *gatewayv1.Gateway, l gatewayv1.Listener) string {
	status := statusOf(rule.Route)
	if status == nil {
		return ""
	}
	for _, p := range status.Parents {
		key, ok := routing.GatewayOf(rule.Route.GetNamespace(), p.ParentRef)
		if !ok || key != client.ObjectKeyFromObject(gateway) || p.ParentRef.SectionName != nil && *p.ParentRef.SectionName != l.Name {
			continue
		}
		c := apimeta.FindStatusCondition(p.Conditions, string(gatewayv1.RouteConditionAccepted))
		if c != nil && c.Status == metav1.ConditionFalse {
			return fmt.Sprintf("the gateway does not take it: %s: %s", c.Reason, c.Message)
		}
	}
	return ""
}

func statusOf(obj client.Object) *gatewayv1.RouteStatus {
	for _, kind := range routing.Kinds() {
		if fmt.Sprintf("%T", kind.Empty()) == fmt.Sprintf("%T", obj) {
			return kind.Read(obj).Status
		}
	}
	return nil
}

// judgeRule notes what the rule does with the request, and reports whether that
// leads on.
func (w *walk) judgeRule(rule *routing.Rule, match *routing.Match) bool {
	subject := fmt.Sprintf("rule %d", rule.Index+1)
	if rule.Name != "" {
		subject += " " + rule.Name
	}
	for _, f := range rule.Filters {
		if f.RequestRedirect != nil {
			w.goesOn(StepRule, subject, "takes %s, and redirects it: the gateway answers %s", match, redirectOf(f.RequestRedirect))
			return true
		}
	}
	if len(rule.Backends) == 0 {
		w.ends(StepRule, subject, "takes %s, and names no backend: the gateway answers 500", match)
		return false
	}
	w.goesOn(StepRule, subject, "takes %s", match)
	return true
}

// answers reports whether a rule answers by itself, without a backend.
func answers(rule *routing.Rule) bool {
	return slices.ContainsFunc(rule.Filters, func(f gatewayv1.HTTPRouteFilter) bool { return f.RequestRedirect != nil })
}

func redirectOf(f *gatewayv1.HTTPRequestRedirectFilter) string {
	code := http.StatusFound
	if f.StatusCode != nil {
		code = *f.StatusCode
	}
	text := fmt.Sprint(code)
	if f.Scheme != nil {
		text += " to " + *f.Scheme
	}
	if f.Hostname != nil {
		text += " to " + string(*f.Hostname)
	}
	return text
}
