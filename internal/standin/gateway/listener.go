package gateway

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// reconcileGateway gives a gateway of a class that exists its addresses and
// its status.
func (e *edge) reconcileGateway(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	owner := "Gateway " + req.String()
	gateway := &gatewayv1.Gateway{}
	err := e.client.Get(ctx, req.NamespacedName, gateway)
	if apierrors.IsNotFound(err) {
		e.addresses.free(owner)
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	class, err := e.class(ctx, gateway)
	if class == nil || err != nil || gateway.DeletionTimestamp != nil {
		return reconcile.Result{}, err
	}
	before := gateway.DeepCopy()
	if gateway.Status.Addresses, err = e.gatewayAddresses(ctx, owner, gateway); err != nil {
		return reconcile.Result{}, err
	}
	attached, err := e.attachedRoutes(ctx, gateway)
	if err != nil {
		return reconcile.Result{}, err
	}
	valid := true
	var listeners []gatewayv1.ListenerStatus
	for _, l := range gateway.Spec.Listeners {
		status, ok, err := e.listener(ctx, gateway, l)
		if err != nil {
			return reconcile.Result{}, err
		}
		status.AttachedRoutes = attached[l.Name]
		listeners = append(listeners, status)
		valid = valid && ok
	}
	gateway.Status.Listeners = listeners
	setGatewayConditions(gateway, valid)
	return reconcile.Result{}, e.write(ctx, before, gateway)
}

func setGatewayConditions(gateway *gatewayv1.Gateway, valid bool) {
	conditions, generation := &gateway.Status.Conditions, gateway.Generation
	reason, message := string(gatewayv1.GatewayReasonAccepted), "The Gateway has been scheduled"
	if !valid {
		reason, message = string(gatewayv1.GatewayReasonListenersNotValid), "Some of the Gateway's listeners are not valid"
	}
	setCondition(conditions, generation, string(gatewayv1.GatewayConditionAccepted), true, reason, message)
	if len(gateway.Status.Addresses) == 0 {
		setCondition(conditions, generation, string(gatewayv1.GatewayConditionProgrammed), false,
			string(gatewayv1.GatewayReasonAddressNotAssigned), "No addresses have been assigned to the Gateway")
		return
	}
	setCondition(conditions, generation, string(gatewayv1.GatewayConditionProgrammed), true,
		string(gatewayv1.GatewayReasonProgrammed), "Address assigned to the Gateway")
}

// gatewayAddresses returns the addresses that the gateway asks for, or else one
// of a pool.
func (e *edge) gatewayAddresses(ctx context.Context, owner string, gateway *gatewayv1.Gateway) ([]gatewayv1.GatewayStatusAddress, error) {
	var list []gatewayv1.GatewayStatusAddress
	for _, a := range gateway.Spec.Addresses {
		if a.Value != "" {
			list = append(list, gatewayv1.GatewayStatusAddress{Type: a.Type, Value: a.Value})
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	labels, annotations := map[string]string{}, map[string]string{}
	if infra := gateway.Spec.Infrastructure; infra != nil {
		for k, v := range infra.Annotations {
			annotations[string(k)] = string(v)
		}
		for k, v := range infra.Labels {
			labels[string(k)] = string(v)
		}
	}
	ips := askedFor(annotations)
	if len(ips) == 0 {
		ranges, err := e.ranges(ctx, labels)
		if err != nil {
			return nil, err
		}
		if ip := e.addresses.take(owner, ranges); ip != "" {
			ips = []string{ip}
		}
	} else {
		e.addresses.keep(owner, ips[0])
	}
	for _, ip := range ips {
		kind := gatewayv1.IPAddressType
		list = append(list, gatewayv1.GatewayStatusAddress{Type: &kind, Value: ip})
	}
	return list, nil
}

// listener judges one listener.
func (e *edge) listener(ctx context.Context, gateway *gatewayv1.Gateway, l gatewayv1.Listener) (gatewayv1.ListenerStatus, bool, error) {
	status := gatewayv1.ListenerStatus{Name: l.Name, SupportedKinds: []gatewayv1.RouteGroupKind{}}
	for _, had := range gateway.Status.Listeners {
		if had.Name == l.Name {
			status.Conditions = slices.Clone(had.Conditions)
		}
	}
	group := gatewayv1.Group(gatewayv1.GroupName)
	kinds := allowedKinds(l)
	for _, kind := range kinds {
		status.SupportedKinds = append(status.SupportedKinds, gatewayv1.RouteGroupKind{Group: &group, Kind: gatewayv1.Kind(kind)})
	}
	resolved, err := e.certificates(ctx, gateway, l)
	if err != nil {
		return status, false, err
	}
	if l.AllowedRoutes != nil && len(kinds) < len(l.AllowedRoutes.Kinds) {
		resolved = verdict{false, string(gatewayv1.ListenerReasonInvalidRouteKinds), "The listener names kinds of routes that its protocol does not take"}
	}
	generation := gateway.Generation
	accepted := len(kindsOf(l.Protocol)) > 0
	reason, message := gatewayv1.ListenerReasonAccepted, "Listener has been successfully translated"
	if !accepted {
		reason, message = gatewayv1.ListenerReasonUnsupportedProtocol, fmt.Sprintf("Protocol %s is not supported", l.Protocol)
	}
	setCondition(&status.Conditions, generation, string(gatewayv1.ListenerConditionAccepted), accepted, string(reason), message)
	setCondition(&status.Conditions, generation, string(gatewayv1.ListenerConditionResolvedRefs), resolved.ok, resolved.reason, resolved.message)
	programmed := accepted && resolved.ok
	reason, message = gatewayv1.ListenerReasonProgrammed, "Sending translated listener configuration to the data plane"
	if !programmed {
		reason, message = gatewayv1.ListenerReasonInvalid, "Listener is invalid, see other Conditions for details."
	}
	setCondition(&status.Conditions, generation, string(gatewayv1.ListenerConditionProgrammed), programmed, string(reason), message)
	return status, programmed, nil
}

// certificates judges the Secrets that a listener terminates TLS with.
func (e *edge) certificates(ctx context.Context, gateway *gatewayv1.Gateway, l gatewayv1.Listener) (verdict, error) {
	resolved := verdict{true, string(gatewayv1.ListenerReasonResolvedRefs), "Listener references have been resolved"}
	if l.TLS == nil {
		return resolved, nil
	}
	for _, ref := range l.TLS.CertificateRefs {
		key := client.ObjectKey{Namespace: gateway.Namespace, Name: string(ref.Name)}
		if ref.Namespace != nil {
			key.Namespace = string(*ref.Namespace)
		}
		if key.Namespace != gateway.Namespace {
			ok, err := e.granted(ctx, grantRequest{gatewayv1.GroupName, "Gateway", gateway.Namespace, "", "Secret", key})
			if err != nil {
				return verdict{}, err
			}
			if !ok {
				return verdict{false, string(gatewayv1.ListenerReasonRefNotPermitted), fmt.Sprintf("Certificate ref to secret %s not permitted by any ReferenceGrant.", key)}, nil
			}
		}
		err := e.client.Get(ctx, key, &corev1.Secret{})
		if apierrors.IsNotFound(err) {
			return verdict{false, string(gatewayv1.ListenerReasonInvalidCertificateRef), fmt.Sprintf("Secret %s does not exist.", key)}, nil
		}
		if err != nil {
			return verdict{}, err
		}
	}
	return resolved, nil
}

// attachedRoutes counts the routes that attach to each of a gateway's listeners.
func (e *edge) attachedRoutes(ctx context.Context, gateway *gatewayv1.Gateway) (map[gatewayv1.SectionName]int32, error) {
	count := map[gatewayv1.SectionName]int32{}
	for _, kind := range routeKinds() {
		routes, err := e.routes(ctx, kind)
		if err != nil {
			return nil, err
		}
		for _, r := range routes {
			listeners, err := e.listenersOf(ctx, r, gateway)
			if err != nil {
				return nil, err
			}
			for name := range listeners {
				count[name]++
			}
		}
	}
	return count, nil
}

func (e *edge) listenersOf(ctx context.Context, r route, gateway *gatewayv1.Gateway) (map[gatewayv1.SectionName]bool, error) {
	listeners := map[gatewayv1.SectionName]bool{}
	for _, ref := range r.parents {
		if key, ok := gatewayOf(r.object.GetNamespace(), ref); !ok || key != client.ObjectKeyFromObject(gateway) {
			continue
		}
		names, _, err := e.attach(ctx, r, gateway, ref)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			listeners[name] = true
		}
	}
	return listeners, nil
}

func (e *edge) allGateways(ctx context.Context, _ client.Object) []reconcile.Request {
	return requests(e.gateways(ctx), nil)
}

func (e *edge) gatewaysOfClass(ctx context.Context, class client.Object) []reconcile.Request {
	return requests(e.gateways(ctx), func(g *gatewayv1.Gateway) bool { return string(g.Spec.GatewayClassName) == class.GetName() })
}

func (e *edge) gatewaysOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	return requests(e.gateways(ctx), func(g *gatewayv1.Gateway) bool {
		return slices.ContainsFunc(g.Spec.Listeners, func(l gatewayv1.Listener) bool {
			return l.TLS != nil && slices.ContainsFunc(l.TLS.CertificateRefs, func(ref gatewayv1.SecretObjectReference) bool {
				return string(ref.Name) == secret.GetName()
			})
		})
	})
}

func (e *edge) gatewaysOfRoute(_ context.Context, obj client.Object) []reconcile.Request {
	var list []reconcile.Request
	for _, kind := range routeKinds() {
		if !sameType(kind.empty(), obj) {
			continue
		}
		for _, ref := range kind.read(obj).parents {
			if key, ok := gatewayOf(obj.GetNamespace(), ref); ok {
				list = append(list, reconcile.Request{NamespacedName: key})
			}
		}
	}
	return list
}
