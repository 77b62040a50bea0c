package routing

import (
	"fmt"
	"regexp"

	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Rule is a rule of an HTTPRoute or a GRPCRoute, in the words of the former.
type Rule struct {
	Route client.Object
	Kind  string
	Index int
	Name  string

	Matches  []gatewayv1.HTTPRouteMatch
	Filters  []gatewayv1.HTTPRouteFilter
	Backends []gatewayv1.HTTPBackendRef
	Timeouts *gatewayv1.HTTPRouteTimeouts
	Retry    *gatewayv1.HTTPRouteRetry
}

// Rules returns the rules of an HTTPRoute or GRPCRoute; other routes have none.
func Rules(r Route) []Rule {
	switch route := r.Object.(type) {
	case *gatewayv1.HTTPRoute:
		return httpRules(route)
	case *gatewayv1.GRPCRoute:
		return grpcRules(route)
	}
	return nil
}

func httpRules(route *gatewayv1.HTTPRoute) []Rule {
	var rules []Rule
	for i, r := range route.Spec.Rules {
		rule := Rule{
			Route: route, Kind: "HTTPRoute", Index: i, Name: string(ptr.Deref(r.Name, "")),
			Matches: r.Matches, Filters: r.Filters, Backends: r.BackendRefs, Timeouts: r.Timeouts, Retry: r.Retry,
		}
		if len(rule.Matches) == 0 {
			rule.Matches = []gatewayv1.HTTPRouteMatch{everything}
		}
		rules = append(rules, rule)
	}
	return rules
}

func grpcRules(route *gatewayv1.GRPCRoute) []Rule {
	var rules []Rule
	for i, r := range route.Spec.Rules {
		rule := Rule{Route: route, Kind: "GRPCRoute", Index: i, Name: string(ptr.Deref(r.Name, "")), Filters: filtersOf(r.Filters)}
		for _, m := range r.Matches {
			rule.Matches = append(rule.Matches, matchOf(m))
		}
		if len(rule.Matches) == 0 {
			rule.Matches = []gatewayv1.HTTPRouteMatch{everything}
		}
		for _, b := range r.BackendRefs {
			rule.Backends = append(rule.Backends, gatewayv1.HTTPBackendRef{BackendRef: b.BackendRef, Filters: filtersOf(b.Filters)})
		}
		rules = append(rules, rule)
	}
	return rules
}

// matchOf words a match on a gRPC method as one on a path: /SERVICE/METHOD.
func matchOf(m gatewayv1.GRPCRouteMatch) gatewayv1.HTTPRouteMatch {
	var match gatewayv1.HTTPRouteMatch
	for _, h := range m.Headers {
		match.Headers = append(match.Headers, gatewayv1.HTTPHeaderMatch{Name: gatewayv1.HTTPHeaderName(h.Name), Value: h.Value, Type: (*gatewayv1.HeaderMatchType)(h.Type)})
	}
	if m.Method == nil {
		return match
	}
	service, method := ptr.Deref(m.Method.Service, ""), ptr.Deref(m.Method.Method, "")
	isRegex := m.Method.Type != nil && *m.Method.Type == gatewayv1.GRPCMethodMatchRegularExpression
	kind, path := gatewayv1.PathMatchExact, "/"+service+"/"+method
	switch {
	case service == "" && method == "":
		return match
	case isRegex || service == "":
		kind, path = gatewayv1.PathMatchRegularExpression, fmt.Sprintf("/%s/%s", part(service, isRegex), part(method, isRegex))
	case method == "":
		kind, path = gatewayv1.PathMatchPathPrefix, "/"+service
	}
	match.Path = &gatewayv1.HTTPPathMatch{Type: &kind, Value: &path}
	return match
}

func part(name string, isRegex bool) string {
	switch {
	case name == "":
		return "[^/]+"
	case isRegex:
		return "(?:" + name + ")"
	}
	return regexp.QuoteMeta(name)
}

func filtersOf(filters []gatewayv1.GRPCRouteFilter) []gatewayv1.HTTPRouteFilter {
	var list []gatewayv1.HTTPRouteFilter
	for _, f := range filters {
		list = append(list, gatewayv1.HTTPRouteFilter{
			Type: gatewayv1.HTTPRouteFilterType(f.Type), RequestHeaderModifier: f.RequestHeaderModifier,
			ResponseHeaderModifier: f.ResponseHeaderModifier, RequestMirror: f.RequestMirror, ExtensionRef: f.ExtensionRef,
		})
	}
	return list
}
