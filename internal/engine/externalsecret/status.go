package externalsecret

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/onepassword"
)

// Reasons of events, as External Secrets Operator writes them.
const (
	eventUpdateFailed = "UpdateFailed"
	eventMissing      = "MissingProviderSecret"
)

// succeeded writes down a sync, and says when the next one is due. What the
// vault came to hold after the sync began is not in it.
func (r *reconciler) succeeded(ctx context.Context, es *v1.ExternalSecret, began time.Time, o outcome) (reconcile.Result, error) {
	now := time.Now()
	err := r.report(ctx, es, func(s *v1.ExternalSecretStatus) {
		s.RefreshTime = statusTime()
		s.SyncedResourceVersion = version(es)
		s.Binding = corev1.LocalObjectReference{Name: es.TargetName()}
		if es.Spec.Target.CreationPolicy == v1.CreateNone || isObject(es) {
			s.Binding.Name = ""
		}
		v1.SetCondition(&s.Conditions, v1.Condition{
			Type: v1.ConditionReady, Status: corev1.ConditionTrue, Reason: o.reason, Message: o.message,
		})
	})
	if err != nil {
		return reconcile.Result{}, err
	}
	r.memory.succeed(client.ObjectKeyFromObject(es), began)
	if o.event != "" {
		r.o.Recorder.Event(es, corev1.EventTypeNormal, o.event, cmp.Or(o.told, "secret "+strings.ToLower(o.event)))
	}
	interval := refreshInterval(es)
	if interval <= 0 || es.Spec.RefreshPolicy == v1.RefreshOnChange || es.Spec.RefreshPolicy == v1.RefreshCreatedOnce {
		return reconcile.Result{}, nil
	}
	due := es.Status.RefreshTime.Add(interval + r.jitter(es, interval))
	return reconcile.Result{RequeueAfter: max(due.Sub(now), time.Second)}, nil
}

// failed writes down why a sync failed, and says when to try again. The Secret
// stays as it was.
func (r *reconciler) failed(ctx context.Context, es *v1.ExternalSecret, cause error) (reconcile.Result, error) {
	message := strings.ReplaceAll(cause.Error(), "\n", "; ")
	err := r.report(ctx, es, func(s *v1.ExternalSecretStatus) {
		v1.SetCondition(&s.Conditions, v1.Condition{
			Type: v1.ConditionReady, Status: corev1.ConditionFalse, Reason: failureReason(es, cause), Message: message,
		})
	})
	if err != nil {
		return reconcile.Result{}, err
	}
	reason := eventUpdateFailed
	if isMissing(cause) {
		reason = eventMissing
	}
	r.o.Recorder.Event(es, corev1.EventTypeWarning, reason, message)
	if blamesStore(cause) {
		r.o.Trigger.pokeStores()
	}
	limit := r.o.RetryCap
	if interval := refreshInterval(es); interval > 0 {
		limit = min(limit, max(interval, time.Second))
	}
	return reconcile.Result{RequeueAfter: r.memory.fail(client.ObjectKeyFromObject(es), limit)}, nil
}

// failureReason is the reason of a condition, as External Secrets Operator
// writes it.
func failureReason(es *v1.ExternalSecret, cause error) string {
	if isObject(es) && !errors.Is(cause, errNoOtherKinds) {
		return v1.ReasonResourceSyncedError
	}
	return v1.ReasonSecretSyncedError
}

// blamesStore reports whether a failure is one of the store, which should
// notice it before its time.
func blamesStore(err error) bool {
	var (
		unreachable *onepassword.UnreachableError
		token       *onepassword.TokenError
		vault       *onepassword.NoVaultError
	)
	return errors.As(err, &unreachable) || errors.As(err, &token) || errors.As(err, &vault)
}

// report changes the status, and writes it if that made a difference.
func (r *reconciler) report(ctx context.Context, es *v1.ExternalSecret, change func(*v1.ExternalSecretStatus)) error {
	before := es.DeepCopy()
	change(&es.Status)
	patch := client.MergeFrom(before)
	data, err := patch.Data(es)
	if err != nil {
		return fmt.Errorf("compare the status of the ExternalSecret %s/%s: %w", es.Namespace, es.Name, err)
	}
	if string(data) == "{}" {
		return nil
	}
	err = r.client.Status().Patch(ctx, es, patch, client.FieldOwner(fieldManager))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status of the ExternalSecret %s/%s: %w", es.Namespace, es.Name, err)
	}
	r.memory.wrote(es)
	return nil
}
