package gateway

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/kube/routing"
)

// routeReconciler writes what the gateways say of each route of a kind.
func (e *edge) routeReconciler(kind routing.Kind) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
		obj := kind.Empty()
		if err := e.client.Get(ctx, req.NamespacedName, obj); err != nil {
			return reconcile.Result{}, client.IgnoreNotFound(err)
		}
		before := obj.DeepCopyObject().(client.Object)
		r := kind.Read(obj)
		parents, err := e.parents(ctx, r)
		if err != nil {
			return reconcile.Result{}, err
		}
		r.Status.Parents = parents
		return reconcile.Result{}, e.write(ctx, before, obj)
	})
}

// parents returns the status for every parent that is a gateway of a class that
// exists. What other controllers have said of other parents stays; what was
// said of a parent that is named no more goes.
func (e *edge) parents(ctx context.Context, r routing.Route) ([]gatewayv1.RouteParentStatus, error) {
	parents := []gatewayv1.RouteParentStatus{}
	for _, ref := range r.Parents {
		had := slices.IndexFunc(r.Status.Parents, func(s gatewayv1.RouteParentStatus) bool {
			return equality.Semantic.DeepEqual(s.ParentRef, ref)
		})
		gateway, class, err := e.judge.Parent(ctx, r.Object.GetNamespace(), ref)
		if err != nil {
			return nil, err
		}
		if class == nil {
			if _, isGateway := routing.GatewayOf(r.Object.GetNamespace(), ref); !isGateway && had >= 0 {
				parents = append(parents, r.Status.Parents[had])
			}
			continue
		}
		status := gatewayv1.RouteParentStatus{ParentRef: ref, ControllerName: class.Spec.ControllerName}
		if had >= 0 {
			status.Conditions = slices.Clone(r.Status.Parents[had].Conditions)
		}
		if err := e.judgeParent(ctx, r, gateway, &status); err != nil {
			return nil, err
		}
		parents = append(parents, status)
	}
	return parents, nil
}

func (e *edge) judgeParent(ctx context.Context, r routing.Route, gateway *gatewayv1.Gateway, status *gatewayv1.RouteParentStatus) error {
	_, accepted, err := e.judge.Attach(ctx, r, gateway, status.ParentRef)
	if err != nil {
		return err
	}
	resolved, err := e.judge.Resolve(ctx, r)
	if err != nil {
		return err
	}
	generation := r.Object.GetGeneration()
	setCondition(&status.Conditions, generation, string(gatewayv1.RouteConditionAccepted), accepted)
	setCondition(&status.Conditions, generation, string(gatewayv1.RouteConditionResolvedRefs), resolved)
	return nil
}
