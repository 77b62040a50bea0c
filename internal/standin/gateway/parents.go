package gateway

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// routeReconciler writes what the gateways say of each route of a kind.
func (e *edge) routeReconciler(kind routeKind) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
		obj := kind.empty()
		if err := e.client.Get(ctx, req.NamespacedName, obj); err != nil {
			return reconcile.Result{}, client.IgnoreNotFound(err)
		}
		before := obj.DeepCopyObject().(client.Object)
		r := kind.read(obj)
		parents, err := e.judge(ctx, r)
		if err != nil {
			return reconcile.Result{}, err
		}
		r.status.Parents = parents
		return reconcile.Result{}, e.write(ctx, before, obj)
	})
}

// judge returns the status for every parent that is a gateway of a class that
// exists. What other controllers have said of other parents stays; what was
// said of a parent that is named no more goes.
func (e *edge) judge(ctx context.Context, r route) ([]gatewayv1.RouteParentStatus, error) {
	parents := []gatewayv1.RouteParentStatus{}
	for _, ref := range r.parents {
		had := slices.IndexFunc(r.status.Parents, func(s gatewayv1.RouteParentStatus) bool {
			return equality.Semantic.DeepEqual(s.ParentRef, ref)
		})
		gateway, class, err := e.parent(ctx, r.object.GetNamespace(), ref)
		if err != nil {
			return nil, err
		}
		if class == nil {
			if _, isGateway := gatewayOf(r.object.GetNamespace(), ref); !isGateway && had >= 0 {
				parents = append(parents, r.status.Parents[had])
			}
			continue
		}
		status := gatewayv1.RouteParentStatus{ParentRef: ref, ControllerName: class.Spec.ControllerName}
		if had >= 0 {
			status.Conditions = slices.Clone(r.status.Parents[had].Conditions)
		}
		if err := e.judgeParent(ctx, r, gateway, &status); err != nil {
			return nil, err
		}
		parents = append(parents, status)
	}
	return parents, nil
}

func (e *edge) judgeParent(ctx context.Context, r route, gateway *gatewayv1.Gateway, status *gatewayv1.RouteParentStatus) error {
	_, accepted, err := e.attach(ctx, r, gateway, status.ParentRef)
	if err != nil {
		return err
	}
	resolved, err := e.resolve(ctx, r)
	if err != nil {
		return err
	}
	generation := r.object.GetGeneration()
	setCondition(&status.Conditions, generation, string(gatewayv1.RouteConditionAccepted), accepted.ok, accepted.reason, accepted.message)
	setCondition(&status.Conditions, generation, string(gatewayv1.RouteConditionResolvedRefs), resolved.ok, resolved.reason, resolved.message)
	return nil
}

// parent returns the gateway that a reference names, and its class; the class
// is nil where either is not there.
func (e *edge) parent(ctx context.Context, namespace string, ref gatewayv1.ParentReference) (*gatewayv1.Gateway, *gatewayv1.GatewayClass, error) {
	key, ok := gatewayOf(namespace, ref)
	if !ok {
		return nil, nil, nil
	}
	gateway := &gatewayv1.Gateway{}
	err := e.client.Get(ctx, key, gateway)
	if apierrors.IsNotFound(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	class, err := e.class(ctx, gateway)
	return gateway, class, err
}

// class returns a gateway's class, or nil.
func (e *edge) class(ctx context.Context, gateway *gatewayv1.Gateway) (*gatewayv1.GatewayClass, error) {
	class := &gatewayv1.GatewayClass{}
	err := e.client.Get(ctx, client.ObjectKey{Name: string(gateway.Spec.GatewayClassName)}, class)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return class, nil
}
