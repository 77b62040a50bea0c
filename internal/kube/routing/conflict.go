package routing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// ReasonHostnameConflict says that a route gave way to an older one of another
// kind. The specification leaves that reason to the implementations.
const ReasonHostnameConflict = "HostnameConflict"

// rivals are the kinds of routes that may not share a host name on a listener:
// of two, the older one is accepted (GRPCRoute, spec.hostnames).
var rivals = map[string]string{"HTTPRoute": "GRPCRoute", "GRPCRoute": "HTTPRoute"}

// Rival returns the kind of routes that one of a kind may have to give way to,
// or "".
func Rival(kind string) string { return rivals[kind] }

// displaced returns the route of another kind that a route gives way to on a
// listener, or nil.
func (j Judge) displaced(ctx context.Context, r Route, gateway *gatewayv1.Gateway, l gatewayv1.Listener) (client.Object, error) {
	if rivals[r.Kind] == "" {
		return nil, nil
	}
	older, err := j.contenders(ctx, rivals[r.Kind], r, gateway, l)
	if err != nil || firstMeeting(r, older, l) == nil {
		return nil, err
	}
	// Those may have given way themselves.
	same, err := j.contenders(ctx, r.Kind, r, gateway, l)
	if err != nil {
		return nil, err
	}
	all := append(older, same...)
	slices.SortFunc(all, func(a, b Route) int {
		if precedes(a, b) {
			return -1
		}
		return 1
	})
	accepted := map[string][]Route{}
	for _, one := range all {
		if firstMeeting(one, accepted[rivals[one.Kind]], l) == nil {
			accepted[one.Kind] = append(accepted[one.Kind], one)
		}
	}
	return firstMeeting(r, accepted[rivals[r.Kind]], l), nil
}

// precedes reports whether one of two routes is the older one.
func precedes(a, b Route) bool {
	return cmp.Or(Older(a.Object, b.Object), strings.Compare(a.Kind, b.Kind)) < 0
}

// contenders returns the routes of a kind that would attach to a listener, and
// are older than another.
func (j Judge) contenders(ctx context.Context, kind string, than Route, gateway *gatewayv1.Gateway, l gatewayv1.Listener) ([]Route, error) {
	kinds := Kinds()
	routes, err := j.Routes(ctx, kinds[slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == kind })])
	if err != nil {
		return nil, err
	}
	var older []Route
	for _, r := range routes {
		if !precedes(r, than) {
			continue
		}
		listeners, err := j.attachable(ctx, r, gateway)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(listeners, func(other gatewayv1.Listener) bool { return other.Name == l.Name }) {
			older = append(older, r)
		}
	}
	return older, nil
}

// attachable returns the listeners that a route could attach to, were there no
// others.
func (j Judge) attachable(ctx context.Context, r Route, gateway *gatewayv1.Gateway) ([]gatewayv1.Listener, error) {
	var listeners []gatewayv1.Listener
	for _, ref := range r.Parents {
		if key, ok := GatewayOf(r.Object.GetNamespace(), ref); !ok || key != client.ObjectKeyFromObject(gateway) {
			continue
		}
		attached, _, err := j.attach(ctx, r, gateway, ref)
		if err != nil {
			return nil, err
		}
		listeners = append(listeners, attached...)
	}
	return listeners, nil
}

// firstMeeting returns the first route that shares a host name with another on
// a listener, or nil.
func firstMeeting(r Route, others []Route, l gatewayv1.Listener) client.Object {
	for _, other := range others {
		for _, host := range Intersect(l.Hostname, r.Hostnames) {
			if slices.ContainsFunc(Intersect(l.Hostname, other.Hostnames), func(h string) bool { return HostsMeet(h, host) }) {
				return other.Object
			}
		}
	}
	return nil
}

// givenWay leaves the listeners where a route has to give way to none.
func (j Judge) givenWay(ctx context.Context, r Route, gateway *gatewayv1.Gateway, attached []gatewayv1.Listener) ([]gatewayv1.Listener, Verdict, error) {
	var kept []gatewayv1.Listener
	var winner client.Object
	for _, l := range attached {
		by, err := j.displaced(ctx, r, gateway, l)
		if err != nil {
			return nil, Verdict{}, err
		}
		if by == nil {
			kept = append(kept, l)
		} else if winner == nil {
			winner = by
		}
	}
	if len(kept) == 0 {
		return nil, Verdict{false, ReasonHostnameConflict, fmt.Sprintf("The older %s %s serves the same host name, and %ss may not share one with %ss.",
			rivals[r.Kind], client.ObjectKeyFromObject(winner), r.Kind, rivals[r.Kind])}, nil
	}
	return kept, Verdict{true, string(gatewayv1.RouteReasonAccepted), "Route is accepted"}, nil
}
