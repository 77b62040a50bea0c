package gateway

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/kube/routing"
)

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

func gatewaysOfRoute(kind routing.Kind) handler.MapFunc {
	return func(_ context.Context, obj client.Object) []reconcile.Request {
		var list []reconcile.Request
		for _, ref := range kind.Read(obj).Parents {
			if key, ok := routing.GatewayOf(obj.GetNamespace(), ref); ok {
				list = append(list, reconcile.Request{NamespacedName: key})
			}
		}
		return list
	}
}

func (e *edge) routesOfKind(kind routing.Kind) handler.MapFunc {
	return func(ctx context.Context, _ client.Object) []reconcile.Request {
		return e.routeRequests(ctx, kind, nil)
	}
}

func (e *edge) routesOfService(kind routing.Kind) handler.MapFunc {
	return func(ctx context.Context, service client.Object) []reconcile.Request {
		return e.routeRequests(ctx, kind, func(r routing.Route) bool {
			return slices.ContainsFunc(r.Backends, func(b gatewayv1.BackendObjectReference) bool {
				key, ok := routing.ServiceOf(r.Object.GetNamespace(), b)
				return ok && key == client.ObjectKeyFromObject(service)
			})
		})
	}
}

func (e *edge) routeRequests(ctx context.Context, kind routing.Kind, keep func(routing.Route) bool) []reconcile.Request {
	routes, err := e.judge.Routes(ctx, kind)
	if err != nil {
		e.log.Error(err, "cannot list routes", "kind", kind.Name)
		return nil
	}
	var list []reconcile.Request
	for _, r := range routes {
		if keep == nil || keep(r) {
			list = append(list, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(r.Object)})
		}
	}
	return list
}
