package gateway

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
	"hearth/internal/kube/routing"
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
	class, err := e.judge.Class(ctx, gateway)
	if class == nil || err != nil || gateway.DeletionTimestamp != nil {
		return reconcile.Result{}, err
	}
	before := gateway.DeepCopy()
	if gateway.Status.Addresses, err = e.gatewayAddresses(ctx, owner, gateway); err != nil {
		return reconcile.Result{}, err
	}
	if err := e.judgeListeners(ctx, gateway); err != nil {
		return reconcile.Result{}, err
	}
	e.setGatewayConditions(gateway)
	return reconcile.Result{}, e.write(ctx, before, gateway)
}

// judgeListeners sets the status of a gateway's listeners.
func (e *edge) judgeListeners(ctx context.Context, gateway *gatewayv1.Gateway) error {
	attached, err := e.attachedRoutes(ctx, gateway)
	if err != nil {
		return err
	}
	down := e.isDown(gateway)
	listeners := make([]gatewayv1.ListenerStatus, 0, len(gateway.Spec.Listeners))
	for _, l := range gateway.Spec.Listeners {
		status, err := e.listener(ctx, gateway, l, down)
		if err != nil {
			return err
		}
		status.AttachedRoutes = attached[l.Name]
		listeners = append(listeners, status)
	}
	gateway.Status.Listeners = listeners
	return nil
}

// isDown reports whether a gateway's proxies are to be down.
func (e *edge) isDown(gateway *gatewayv1.Gateway) bool {
	return e.Faults.On(domain.FaultGatewayDown, client.ObjectKeyFromObject(gateway).String())
}

func (e *edge) setGatewayConditions(gateway *gatewayv1.Gateway) {
	accepted := routing.Verdict{OK: true, Reason: string(gatewayv1.GatewayReasonAccepted), Message: "The Gateway has been scheduled"}
	programmed := routing.Verdict{OK: true, Reason: string(gatewayv1.GatewayReasonProgrammed), Message: "Address assigned to the Gateway"}
	taken := having(gateway, gatewayv1.ListenerConditionAccepted)
	if all := len(gateway.Status.Listeners); taken < all || having(gateway, gatewayv1.ListenerConditionResolvedRefs) < all {
		accepted = routing.Verdict{OK: taken > 0, Reason: string(gatewayv1.GatewayReasonListenersNotValid), Message: "Some of the Gateway's listeners are not valid"}
	}
	switch {
	case unsupportedAddress(gateway):
		accepted = routing.Verdict{Reason: string(gatewayv1.GatewayReasonUnsupportedAddress), Message: "An address of the Gateway is of a type that is not supported"}
		programmed = routing.Verdict{Reason: string(gatewayv1.GatewayReasonInvalid), Message: "The Gateway is not accepted"}
	case !accepted.OK:
		programmed = routing.Verdict{Reason: string(gatewayv1.GatewayReasonInvalid), Message: "The Gateway is not accepted"}
	case len(gateway.Status.Addresses) == 0:
		programmed = routing.Verdict{Reason: string(gatewayv1.GatewayReasonAddressNotAssigned), Message: "No addresses have been assigned to the Gateway"}
	case e.isDown(gateway):
		programmed = routing.Verdict{Reason: string(gatewayv1.GatewayReasonNoResources), Message: "The Gateway's proxies do not run"}
	}
	conditions, generation := &gateway.Status.Conditions, gateway.Generation
	setCondition(conditions, generation, string(gatewayv1.GatewayConditionAccepted), accepted)
	setCondition(conditions, generation, string(gatewayv1.GatewayConditionProgrammed), programmed)
}

// having counts the listeners for which a condition holds.
func having(gateway *gatewayv1.Gateway, kind gatewayv1.ListenerConditionType) int {
	count := 0
	for _, l := range gateway.Status.Listeners {
		if meta.IsStatusConditionTrue(l.Conditions, string(kind)) {
			count++
		}
	}
	return count
}

// attachedRoutes counts the routes that attach to each of a gateway's listeners.
func (e *edge) attachedRoutes(ctx context.Context, gateway *gatewayv1.Gateway) (map[gatewayv1.SectionName]int32, error) {
	routes, err := e.allRoutes(ctx)
	if err != nil {
		return nil, err
	}
	count := map[gatewayv1.SectionName]int32{}
	for _, r := range routes {
		listeners, err := e.judge.Attached(ctx, r, gateway)
		if err != nil {
			return nil, err
		}
		for _, l := range listeners {
			count[l.Name]++
		}
	}
	return count, nil
}

// gatewayAddresses returns the addresses that the gateway asks for, or else one
// of a pool.
func (e *edge) gatewayAddresses(ctx context.Context, owner string, gateway *gatewayv1.Gateway) ([]gatewayv1.GatewayStatusAddress, error) {
	if e.isExhausted(owner) && len(gateway.Status.Addresses) == 0 {
		return nil, nil
	}
	var list []gatewayv1.GatewayStatusAddress
	for _, a := range gateway.Spec.Addresses {
		if a.Value != "" && supportedType(a.Type) {
			list = append(list, gatewayv1.GatewayStatusAddress{Type: a.Type, Value: a.Value})
		}
	}
	if len(list) > 0 {
		e.addresses.keep(owner, list[0].Value)
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

// isExhausted reports whether an owner is to find no address left: one that has
// an address keeps it.
func (e *edge) isExhausted(owner string) bool {
	return e.Faults.On(domain.FaultPoolEmpty) && !e.addresses.owns(owner)
}

// supportedType reports whether addresses of a type can be given.
func supportedType(kind *gatewayv1.AddressType) bool {
	return kind == nil || *kind == gatewayv1.IPAddressType || *kind == gatewayv1.HostnameAddressType
}

func unsupportedAddress(gateway *gatewayv1.Gateway) bool {
	for _, a := range gateway.Spec.Addresses {
		if !supportedType(a.Type) {
			return true
		}
	}
	return false
}
