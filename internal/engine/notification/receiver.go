package notification

import (
	"context"
	"errors"
	"fmt"
	"time"

	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/fluxcd/pkg/runtime/predicates"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/work"
)

// reasonUnsupported is why a Receiver whose type is not served is stalled.
const reasonUnsupported = "UnsupportedType"

// receivers reconciles Receivers: each gets the path of its webhook.
type receivers struct {
	o       Options
	client  client.Client
	backoff work.Backoff[types.NamespacedName]
}

func setupReceivers(mgr manager.Manager, o Options) error {
	r := &receivers{o: o, client: mgr.GetClient()}
	skip := true
	return builder.ControllerManagedBy(mgr).Named("notification-receiver").
		For(&notificationv1.Receiver{}, builder.WithPredicates(
			predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicates.ReconcileRequestedPredicate{}))).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.using)).
		WithOptions(controller.Options{SkipNameValidation: &skip}).
		Complete(work.Reconciler(o.Gate, r))
}

// using returns the Receivers whose token a Secret holds.
func (r *receivers) using(ctx context.Context, secret client.Object) []reconcile.Request {
	var list notificationv1.ReceiverList
	if err := r.client.List(ctx, &list, client.InNamespace(secret.GetNamespace()), client.UnsafeDisableDeepCopy); err != nil {
		return nil // the cache fails only when it is stopped
	}
	var requests []reconcile.Request
	for i := range list.Items {
		if ref := list.Items[i].Spec.SecretRef; ref != nil && ref.Name == secret.GetName() {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return requests
}

// Reconcile brings one Receiver's status up to date.
func (r *receivers) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var before notificationv1.Receiver
	if err := r.client.Get(ctx, req.NamespacedName, &before); err != nil {
		r.backoff.Forget(req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if before.DeletionTimestamp != nil {
		return reconcile.Result{}, release(ctx, r.client, &before)
	}
	if before.Spec.Suspend {
		return reconcile.Result{}, nil
	}
	after := before.DeepCopy()
	after.Status.LastHandledReconcileAt = requestedAt(after)
	result := r.judge(ctx, after)
	return result, save(ctx, r.client, &before, after)
}

// judge decides whether a Receiver can be served.
func (r *receivers) judge(ctx context.Context, obj *notificationv1.Receiver) reconcile.Result {
	key := client.ObjectKeyFromObject(obj)
	if reason, err := checkReceiver(obj); err != nil {
		r.stall(obj, reason, err)
		return reconcile.Result{}
	}
	token, err := tokenOf(ctx, r.client, obj)
	if err != nil {
		conditions.Delete(obj, meta.StalledCondition)
		conditions.MarkReconciling(obj, meta.ProgressingWithRetryReason, "%s", err)
		conditions.MarkFalse(obj, meta.ReadyCondition, notificationv1.TokenNotFoundReason, "%s", err)
		obj.Status.WebhookPath = ""
		if r.backoff.Failures(key) == 0 {
			r.o.Recorder.Eventf(obj, corev1.EventTypeWarning, meta.FailedReason, "%s", err)
		}
		return reconcile.Result{RequeueAfter: r.backoff.Next(key, obj.GetInterval())}
	}
	r.backoff.Forget(key)
	obj.Status.WebhookPath = obj.GetWebhookPath(string(token))
	obj.Status.ObservedGeneration = obj.Generation
	conditions.Delete(obj, meta.StalledCondition)
	conditions.Delete(obj, meta.ReconcilingCondition)
	conditions.MarkTrue(obj, meta.ReadyCondition, meta.SucceededReason, "Receiver initialized for path: %s", obj.Status.WebhookPath)
	r.o.Recorder.Eventf(obj, corev1.EventTypeNormal, meta.SucceededReason, "Reconciliation finished, next run in %s", obj.GetInterval())
	return reconcile.Result{RequeueAfter: max(obj.GetInterval(), time.Second)}
}

// stall says that only a change of the Receiver can help.
func (r *receivers) stall(obj *notificationv1.Receiver, reason string, err error) {
	const prefix = "Reconciliation failed terminally due to configuration error"
	if conditions.GetReason(obj, meta.StalledCondition) != reason || obj.Status.ObservedGeneration != obj.Generation {
		r.o.Recorder.Eventf(obj, corev1.EventTypeWarning, reason, "%s: %s", prefix, err)
	}
	conditions.MarkFalse(obj, meta.ReadyCondition, reason, "%s: %s", prefix, err)
	conditions.MarkStalled(obj, reason, "%s: %s", prefix, err)
	conditions.Delete(obj, meta.ReconcilingCondition)
	obj.Status.ObservedGeneration = obj.Generation
	obj.Status.WebhookPath = ""
}

// checkReceiver returns what is wrong with a Receiver's spec.
func checkReceiver(obj *notificationv1.Receiver) (reason string, err error) {
	if err := serves(obj.Spec.Type); err != nil {
		return reasonUnsupported, err
	}
	invalid, uncompiled := checkIssuers(&obj.Spec)
	if invalid != nil {
		return notificationv1.ValidationFailedReason, invalid
	}
	if uncompiled != nil {
		return meta.InvalidCELExpressionReason, uncompiled
	}
	if obj.Spec.SecretRef == nil && obj.Spec.Type != notificationv1.GenericOIDCReceiver {
		return notificationv1.ValidationFailedReason, fmt.Errorf("secretRef is required when type is not %s", notificationv1.GenericOIDCReceiver)
	}
	if obj.Spec.ResourceFilter != "" {
		if _, err := filterExpression(&obj.Spec, obj.Spec.ResourceFilter); err != nil {
			return meta.InvalidCELExpressionReason, fmt.Errorf("invalid resourceFilter expression: %w", err)
		}
	}
	for i, resource := range obj.Spec.Resources {
		if resource.Filter == "" {
			continue
		}
		if _, err := filterExpression(&obj.Spec, resource.Filter); err != nil {
			return meta.InvalidCELExpressionReason, fmt.Errorf("invalid filter expression for resources[%d] (kind=%q, name=%q): %w", i, resource.Kind, resource.Name, err)
		}
	}
	return "", nil
}

// tokenOf reads the token that a Receiver's requests prove to know. An empty
// one would prove nothing; only where an issuer proves who sends there is none.
func tokenOf(ctx context.Context, c client.Reader, obj *notificationv1.Receiver) ([]byte, error) {
	if obj.Spec.Type == notificationv1.GenericOIDCReceiver {
		return nil, nil
	}
	if obj.Spec.SecretRef == nil {
		return nil, errors.New("the Receiver names no secret")
	}
	key := client.ObjectKey{Namespace: obj.Namespace, Name: obj.Spec.SecretRef.Name}
	var secret corev1.Secret
	if err := c.Get(ctx, key, &secret); err != nil {
		return nil, fmt.Errorf("unable to read token from secret '%s' error: %w", key, err)
	}
	token, ok := secret.Data["token"]
	switch {
	case !ok:
		return nil, fmt.Errorf("invalid '%s' secret data: required fields 'token'", key)
	case len(token) == 0:
		return nil, fmt.Errorf("invalid '%s' secret data: the field 'token' is empty", key)
	}
	return token, nil
}

// requestedAt returns the reconcile request that a Receiver's annotation
// carries, or the one handled last.
func requestedAt(obj *notificationv1.Receiver) string {
	if value, ok := meta.ReconcileAnnotationValue(obj.GetAnnotations()); ok {
		return value
	}
	return obj.Status.LastHandledReconcileAt
}

// save writes a Receiver's status, if anything of it changed.
func save(ctx context.Context, c client.Client, before, after *notificationv1.Receiver) error {
	patch := client.MergeFrom(before)
	data, err := patch.Data(after)
	if err != nil || string(data) == "{}" {
		return err
	}
	if err := c.Status().Patch(ctx, after, patch, client.FieldOwner(controllerName)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("saving the status of Receiver %s/%s: %w", before.Namespace, before.Name, err)
	}
	return nil
}
