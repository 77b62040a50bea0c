package gateway

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
)

// reconcileClass accepts every class: each stands for a controller that
// Hearth plays.
func (e *edge) reconcileClass(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	class := &gatewayv1.GatewayClass{}
	if err := e.client.Get(ctx, req.NamespacedName, class); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	before := class.DeepCopy()
	setCondition(&class.Status.Conditions, class.Generation, string(gatewayv1.GatewayClassConditionStatusAccepted), true,
		string(gatewayv1.GatewayClassReasonAccepted), "The class is accepted.")
	e.Assumptions.Add(domain.AssumedOperator, string(class.Spec.ControllerName), fmt.Sprintf("gateways of the class %s are played: no proxy runs", class.Name))
	return reconcile.Result{}, e.write(ctx, before, class)
}

// write sends the status of an object where it changed.
func (e *edge) write(ctx context.Context, before, after client.Object) error {
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	err := e.client.Status().Patch(ctx, after, client.MergeFrom(before))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status of %T %s: %w", after, client.ObjectKeyFromObject(after), err)
	}
	return nil
}

// setCondition sets one condition; its time changes only with its status.
func setCondition(conditions *[]metav1.Condition, generation int64, kind string, ok bool, reason, message string) {
	status := metav1.ConditionTrue
	if !ok {
		status = metav1.ConditionFalse
	}
	meta.SetStatusCondition(conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: generation,
	})
}
