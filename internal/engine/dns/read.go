package dns

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/engine/dns/source"
)

// read returns what the sources are read from, as the cache has it.
func (r *reconciler) read(ctx context.Context, sources []string) (*source.World, error) {
	w := &source.World{}
	var errs []error
	list := func(into client.ObjectList) {
		if err := r.client.List(ctx, into, client.UnsafeDisableDeepCopy); err != nil && !meta.IsNoMatchError(err) {
			errs = append(errs, fmt.Errorf("read what names are made of: %w", err))
		}
	}
	var gateways gatewayv1.GatewayList
	var namespaces corev1.NamespaceList
	list(&gateways)
	list(&namespaces)
	w.Gateways, w.Namespaces = gateways.Items, namespaces.Items
	if slices.Contains(sources, source.HTTPRoute) {
		var routes gatewayv1.HTTPRouteList
		list(&routes)
		w.HTTPRoutes = routes.Items
	}
	if slices.Contains(sources, source.GRPCRoute) {
		var routes gatewayv1.GRPCRouteList
		list(&routes)
		w.GRPCRoutes = routes.Items
	}
	if slices.Contains(sources, source.TLSRoute) {
		var routes gatewayv1.TLSRouteList
		list(&routes)
		w.TLSRoutes = routes.Items
	}
	if slices.Contains(sources, source.Service) {
		var services corev1.ServiceList
		var nodes corev1.NodeList
		var pods corev1.PodList
		var parts discoveryv1.EndpointSliceList
		for _, into := range []client.ObjectList{&services, &nodes, &pods, &parts} {
			list(into)
		}
		w.Services, w.Nodes, w.Pods, w.Slices = services.Items, nodes.Items, pods.Items, parts.Items
		if r.o.Server != nil {
			addGatewayServices(w)
		}
	}
	if slices.Contains(sources, source.Ingress) {
		var ingresses networkingv1.IngressList
		list(&ingresses)
		w.Ingresses = ingresses.Items
	}
	if slices.Contains(sources, source.CRD) {
		endpoints, err := r.endpoints(ctx)
		w.Endpoints = endpoints
		errs = append(errs, err)
	}
	return w, errors.Join(errs...)
}

// endpoints returns copies of the DNSEndpoints, if their kind is known by now.
func (r *reconciler) endpoints(ctx context.Context) ([]*unstructured.Unstructured, error) {
	err := r.o.Objects.Follow(ctx, source.EndpointKind)
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all := &unstructured.UnstructuredList{}
	all.SetGroupVersionKind(source.EndpointKind)
	if err := r.cache.List(ctx, all); err != nil {
		return nil, fmt.Errorf("read DNSEndpoints: %w", err)
	}
	list := make([]*unstructured.Unstructured, len(all.Items))
	for i := range all.Items {
		list[i] = &all.Items[i]
		list[i].SetGroupVersionKind(source.EndpointKind)
	}
	return list, nil
}

// observed writes into DNSEndpoints which generation was looked at.
func (r *reconciler) observed(ctx context.Context, endpoints []*unstructured.Unstructured) error {
	var errs []error
	for _, obj := range endpoints {
		seen, _, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration")
		if seen == obj.GetGeneration() {
			continue
		}
		base := obj.DeepCopy()
		if err := unstructured.SetNestedField(obj.Object, obj.GetGeneration(), "status", "observedGeneration"); err != nil {
			continue // a status that is no map is nobody's to mend
		}
		if err := r.client.Status().Patch(ctx, obj, client.MergeFrom(base), client.FieldOwner("external-dns")); client.IgnoreNotFound(err) != nil {
			errs = append(errs, fmt.Errorf("write the status of DNSEndpoint %s/%s: %w", obj.GetNamespace(), obj.GetName(), err))
		}
	}
	return errors.Join(errs...)
}
