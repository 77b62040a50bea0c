package gateway

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/kube/routing"
)

// listener judges one listener of a gateway whose proxies may be down.
func (e *edge) listener(ctx context.Context, gateway *gatewayv1.Gateway, l gatewayv1.Listener, down bool) (gatewayv1.ListenerStatus, error) {
	status := gatewayv1.ListenerStatus{Name: l.Name, SupportedKinds: supportedKinds(l)}
	for _, had := range gateway.Status.Listeners {
		if had.Name == l.Name {
			status.Conditions = slices.Clone(had.Conditions)
		}
	}
	_, resolved, err := e.certificates(ctx, gateway, l)
	if err != nil {
		return status, err
	}
	if l.AllowedRoutes != nil && len(status.SupportedKinds) < len(l.AllowedRoutes.Kinds) {
		resolved = routing.Verdict{Reason: string(gatewayv1.ListenerReasonInvalidRouteKinds), Message: "The listener names kinds of routes that its protocol does not take"}
	}
	accepted := routing.Verdict{OK: true, Reason: string(gatewayv1.ListenerReasonAccepted), Message: "Listener has been successfully translated"}
	clash := conflict(gateway, l)
	switch {
	case len(routing.KindsOf(l.Protocol)) == 0:
		accepted = routing.Verdict{Reason: string(gatewayv1.ListenerReasonUnsupportedProtocol), Message: fmt.Sprintf("Protocol %s is not supported", l.Protocol)}
	case clash != nil:
		accepted = routing.Verdict{Reason: clash.Reason, Message: clash.Message}
	}
	programmed := routing.Verdict{OK: true, Reason: string(gatewayv1.ListenerReasonProgrammed), Message: "Sending translated listener configuration to the data plane"}
	switch {
	case !accepted.OK || !resolved.OK:
		programmed = routing.Verdict{Reason: string(gatewayv1.ListenerReasonInvalid), Message: "Listener is invalid, see other Conditions for details."}
	case down:
		programmed = routing.Verdict{Reason: string(gatewayv1.ListenerReasonPending), Message: "The proxies do not run"}
	}
	set := func(kind gatewayv1.ListenerConditionType, v routing.Verdict) {
		setCondition(&status.Conditions, gateway.Generation, string(kind), v)
	}
	set(gatewayv1.ListenerConditionAccepted, accepted)
	set(gatewayv1.ListenerConditionResolvedRefs, resolved)
	set(gatewayv1.ListenerConditionProgrammed, programmed)
	if clash != nil {
		set(gatewayv1.ListenerConditionConflicted, *clash)
	} else {
		meta.RemoveStatusCondition(&status.Conditions, string(gatewayv1.ListenerConditionConflicted))
	}
	return status, nil
}

func supportedKinds(l gatewayv1.Listener) []gatewayv1.RouteGroupKind {
	kinds := []gatewayv1.RouteGroupKind{}
	for _, kind := range routing.AllowedKinds(l) {
		kinds = append(kinds, gatewayv1.RouteGroupKind{Group: ptr.To(gatewayv1.Group(gatewayv1.GroupName)), Kind: gatewayv1.Kind(kind)})
	}
	return kinds
}

// conflict returns what a listener has against another one of its port: another
// protocol than that can be told from, or the same host name. nil is nothing.
func conflict(gateway *gatewayv1.Gateway, l gatewayv1.Listener) *routing.Verdict {
	for _, other := range gateway.Spec.Listeners {
		if other.Name == l.Name || other.Port != l.Port || (other.Protocol == gatewayv1.UDPProtocolType) != (l.Protocol == gatewayv1.UDPProtocolType) {
			continue
		}
		if !sharePort(l.Protocol, other.Protocol) {
			return &routing.Verdict{OK: true, Reason: string(gatewayv1.ListenerReasonProtocolConflict), Message: fmt.Sprintf("Listener %s has port %d with another protocol", other.Name, l.Port)}
		}
		if ptr.Deref(other.Hostname, "") == ptr.Deref(l.Hostname, "") {
			return &routing.Verdict{OK: true, Reason: string(gatewayv1.ListenerReasonHostnameConflict), Message: fmt.Sprintf("Listener %s has port %d with the same hostname", other.Name, l.Port)}
		}
	}
	return nil
}

// sharePort reports whether two protocols can be told apart on one port: those
// within TLS by the name that the client asks for.
func sharePort(a, b gatewayv1.ProtocolType) bool {
	within := func(p gatewayv1.ProtocolType) bool {
		return p == gatewayv1.HTTPSProtocolType || p == gatewayv1.TLSProtocolType
	}
	return a == b || within(a) && within(b)
}

func passesThrough(l gatewayv1.Listener) bool {
	return l.TLS != nil && l.TLS.Mode != nil && *l.TLS.Mode == gatewayv1.TLSModePassthrough
}
