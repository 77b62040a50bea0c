package gateway

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// reconcileService gives a Service of type LoadBalancer its addresses.
func (e *edge) reconcileService(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	owner := "Service " + req.String()
	service := &corev1.Service{}
	err := e.client.Get(ctx, req.NamespacedName, service)
	if apierrors.IsNotFound(err) {
		e.addresses.free(owner)
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	if service.Spec.Type != corev1.ServiceTypeLoadBalancer || service.DeletionTimestamp != nil {
		e.addresses.free(owner)
		return reconcile.Result{}, nil
	}
	addresses, err := e.serviceAddresses(ctx, owner, service)
	if err != nil || len(addresses) == 0 {
		return reconcile.Result{}, err
	}
	var ingress []corev1.LoadBalancerIngress
	for _, ip := range addresses {
		mode := corev1.LoadBalancerIPModeVIP
		ingress = append(ingress, corev1.LoadBalancerIngress{IP: ip, IPMode: &mode})
	}
	if equality.Semantic.DeepEqual(service.Status.LoadBalancer.Ingress, ingress) {
		return reconcile.Result{}, nil
	}
	patch := client.MergeFrom(service.DeepCopy())
	service.Status.LoadBalancer.Ingress = ingress
	if err := e.client.Status().Patch(ctx, service, patch); client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("give the Service %s its address: %w", req, err)
	}
	return reconcile.Result{}, nil
}

// serviceAddresses returns what the Service asks for, or has, or is given.
func (e *edge) serviceAddresses(ctx context.Context, owner string, service *corev1.Service) ([]string, error) {
	if e.isExhausted(owner) && len(service.Status.LoadBalancer.Ingress) == 0 {
		return nil, nil
	}
	asked := askedFor(service.Annotations)
	if len(asked) == 0 && service.Spec.LoadBalancerIP != "" {
		asked = []string{service.Spec.LoadBalancerIP}
	}
	if len(asked) > 0 {
		e.addresses.keep(owner, asked[0])
		return asked, nil
	}
	ranges, err := e.ranges(ctx, service.Labels)
	if err != nil {
		return nil, err
	}
	for _, had := range service.Status.LoadBalancer.Ingress {
		for _, r := range ranges {
			if r.contains(had.IP) {
				e.addresses.keep(owner, had.IP)
			}
		}
	}
	if ip := e.addresses.take(owner, ranges); ip != "" {
		return []string{ip}, nil
	}
	return nil, nil
}
