package dns

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/engine/dns/source"
)

// The labels by which a gateway's controller says whose Service it made.
const (
	gatewayNameLabel = "gateway.networking.k8s.io/gateway-name"
	owningNameLabel  = "gateway.envoyproxy.io/owning-gateway-name"
)

// addGatewayServices adds the Services that gateways' controllers would have
// made, with the annotations of the Gateway's infrastructure, where a rehearsal
// has none: homelabs name their gateways by such an annotation.
func addGatewayServices(w *source.World) {
	for i := range w.Gateways {
		gw := &w.Gateways[i]
		if gw.Spec.Infrastructure == nil || slices.ContainsFunc(w.Services, func(s corev1.Service) bool {
			return s.Labels[gatewayNameLabel] == gw.Name || s.Labels[owningNameLabel] == gw.Name
		}) {
			continue
		}
		w.Services = append(slices.Clip(w.Services), gatewayService(gw))
	}
}

func gatewayService(gw *gatewayv1.Gateway) corev1.Service {
	svc := corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: gw.Namespace, Name: gw.Name, Labels: map[string]string{}, Annotations: map[string]string{}},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer},
	}
	for key, value := range gw.Spec.Infrastructure.Labels {
		svc.Labels[string(key)] = string(value)
	}
	for key, value := range gw.Spec.Infrastructure.Annotations {
		svc.Annotations[string(key)] = string(value)
	}
	for _, a := range gw.Status.Addresses {
		point := corev1.LoadBalancerIngress{IP: a.Value}
		if a.Type != nil && *a.Type == gatewayv1.HostnameAddressType {
			point = corev1.LoadBalancerIngress{Hostname: a.Value}
		}
		svc.Status.LoadBalancer.Ingress = append(svc.Status.LoadBalancer.Ingress, point)
	}
	return svc
}
