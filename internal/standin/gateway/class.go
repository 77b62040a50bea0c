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
	"hearth/internal/kube/routing"
)

// reconcileClass accepts every class: each stands for a controller that
// Hearth plays.
func (e *edge) reconcileClass(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	class := &gatewayv1.GatewayClass{}
	if err := e.client.Get(ctx, req.NamespacedName, class); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	before := class.DeepCopy()
	setCondition(&class.Status.Conditions, class.Generation, string(gatewayv1.GatewayClassConditionStatusAccepted),
		routing.Verdict{OK: true, Reason: string(gatewayv1.GatewayClassReasonAccepted), Message: "The class is accepted."})
	class.Status.SupportedFeatures = supportedFeatures()
	e.Assumptions.Add(domain.AssumedOperator, string(class.Spec.ControllerName), fmt.Sprintf("gateways of the class %s are played", class.Name))
	return reconcile.Result{}, e.write(ctx, before, class)
}

// supportedFeatures are the names, by https://gateway-api.sigs.k8s.io/geps/gep-2162/,
// of what the stand-in does.
func supportedFeatures() []gatewayv1.SupportedFeature {
	var list []gatewayv1.SupportedFeature
	for _, name := range Features() {
		list = append(list, gatewayv1.SupportedFeature{Name: gatewayv1.FeatureName(name)})
	}
	return list
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
func setCondition(conditions *[]metav1.Condition, generation int64, kind string, v routing.Verdict) {
	status := metav1.ConditionTrue
	if !v.OK {
		status = metav1.ConditionFalse
	}
	meta.SetStatusCondition(conditions, metav1.Condition{
		Type: kind, Status: status, Reason: v.Reason, Message: v.Message, ObservedGeneration: generation,
	})
}
