package notification

import (
	"context"
	"fmt"
	"regexp"

	notificationv1beta3 "github.com/fluxcd/notification-controller/api/v1beta3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/work"
)

// setupOutgoing registers what looks at Providers and Alerts. They have no
// status: what is wrong with one is told by an event about it, once for each
// generation.
func setupOutgoing(mgr manager.Manager, o Options) error {
	skip := true
	for name, kind := range map[string]struct {
		empty client.Object
		check func(client.Object) error
	}{
		"provider": {&notificationv1beta3.Provider{}, func(obj client.Object) error { return checkProvider(obj.(*notificationv1beta3.Provider)) }},
		"alert":    {&notificationv1beta3.Alert{}, func(obj client.Object) error { return checkAlert(obj.(*notificationv1beta3.Alert)) }},
	} {
		r := &checker{client: mgr.GetClient(), recorder: o.Recorder, empty: kind.empty, check: kind.check}
		err := builder.ControllerManagedBy(mgr).Named("notification-"+name).
			For(kind.empty, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
			WithOptions(controller.Options{SkipNameValidation: &skip}).
			Complete(work.Reconciler(o.Gate, r))
		if err != nil {
			return err
		}
	}
	return nil
}

// checker tells what is wrong with an object, and takes Flux's finalizer off
// one that is deleted.
type checker struct {
	client   client.Client
	recorder record.EventRecorder
	empty    client.Object
	check    func(client.Object) error
}

// Reconcile looks at one object.
func (c *checker) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	obj := c.empty.DeepCopyObject().(client.Object)
	if err := c.client.Get(ctx, req.NamespacedName, obj); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if obj.GetDeletionTimestamp() != nil {
		return reconcile.Result{}, release(ctx, c.client, obj)
	}
	if err := c.check(obj); err != nil {
		c.recorder.Eventf(obj, corev1.EventTypeWarning, reasonInvalid, "%s", err)
	}
	return reconcile.Result{}, nil
}

// release takes Flux's finalizer off an object.
func release(ctx context.Context, c client.Client, obj client.Object) error {
	if !controllerutil.ContainsFinalizer(obj, finalizer) {
		return nil
	}
	patch := client.MergeFromWithOptions(obj.DeepCopyObject().(client.Object), client.MergeFromWithOptimisticLock{})
	controllerutil.RemoveFinalizer(obj, finalizer)
	if err := c.Patch(ctx, obj, patch, client.FieldOwner(controllerName)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("take the finalizer off %s/%s: %w", obj.GetNamespace(), obj.GetName(), err)
	}
	return nil
}

// checkProvider returns what keeps a Provider from being served.
func checkProvider(p *notificationv1beta3.Provider) error {
	if _, err := kindOf(p.Spec.Type); err != nil {
		return err
	}
	if p.Spec.ServiceAccountName != "" {
		return fmt.Errorf("spec.serviceAccountName is for cloud providers, which are not served: use spec.secretRef")
	}
	if p.Spec.CommitStatusExpr != "" {
		if _, err := statusExpression(p.Spec.CommitStatusExpr); err != nil {
			return fmt.Errorf("spec.commitStatusExpr does not compile: %w", err)
		}
	}
	return nil
}

// checkAlert returns which of an Alert's expressions match nothing, since they
// do not compile.
func checkAlert(a *notificationv1beta3.Alert) error {
	for list, expressions := range map[string][]string{"inclusion": a.Spec.InclusionList, "exclusion": a.Spec.ExclusionList} {
		for _, expression := range expressions {
			if _, err := regexp.Compile(expression); err != nil {
				return fmt.Errorf("failed to compile %s regex: %s", list, expression)
			}
		}
	}
	return nil
}
