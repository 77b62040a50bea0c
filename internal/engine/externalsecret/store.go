package externalsecret

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/kube/work"
)

// revalidate is how often a store is validated where it does not say.
const revalidate = 5 * time.Minute

// storeReconciler validates the stores of one kind: whether the token is
// there, the server answers, and the vaults exist.
type storeReconciler struct {
	o         Options
	kind      string
	client    client.Client
	providers *providers
	backoff   *work.Backoff[types.NamespacedName]
}

// Reconcile validates one store.
func (r *storeReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	key := storeKey{r.kind, req.Namespace, req.Name}
	// Past the cache: one that lags behind a status just written would hide that
	// it has to be written again.
	store, err := getStore(ctx, r.providers.live, key)
	if client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("read %s: %w", key, err)
	}
	if err != nil || store.GetDeletionTimestamp() != nil {
		r.backoff.Forget(req.NamespacedName)
		r.providers.forget(key)
		return reconcile.Result{}, nil
	}
	if !isOurs(store) {
		return reconcile.Result{}, nil
	}
	interval := revalidate
	if seconds := store.StoreSpec().RefreshInterval; seconds > 0 {
		interval = max(time.Duration(seconds)*time.Second, time.Second)
	}
	condition, capabilities := r.validate(ctx, store)
	if err := r.report(ctx, store, condition, capabilities); err != nil {
		return reconcile.Result{}, err
	}
	if condition.Status == corev1.ConditionTrue {
		r.backoff.Forget(req.NamespacedName)
		return reconcile.Result{RequeueAfter: interval}, nil
	}
	return reconcile.Result{RequeueAfter: r.backoff.Next(req.NamespacedName, min(interval, r.o.RetryCap))}, nil
}

// validate returns the Ready condition of a store.
func (r *storeReconciler) validate(ctx context.Context, store storeObject) (v1.Condition, v1.Capabilities) {
	not := func(reason string, err error) v1.Condition {
		return v1.Condition{Type: v1.ConditionReady, Status: corev1.ConditionFalse, Reason: reason, Message: err.Error()}
	}
	p, err := r.providers.open(ctx, store)
	if err != nil {
		return not(v1.ReasonInvalidProviderConfig, err), ""
	}
	if err := outside(ctx, r.o.Gate, p.validate); err != nil {
		return not(v1.ReasonValidationFailed, err), p.capabilities()
	}
	return v1.Condition{
		Type: v1.ConditionReady, Status: corev1.ConditionTrue,
		Reason: v1.ReasonStoreValid, Message: "store validated",
	}, p.capabilities()
}

// report writes the status if it changed.
func (r *storeReconciler) report(ctx context.Context, store storeObject, c v1.Condition, capabilities v1.Capabilities) error {
	before := store.DeepCopyObject().(client.Object)
	status := store.StoreStatus()
	changed := v1.SetCondition(&status.Conditions, c)
	if status.Capabilities == capabilities && !changed {
		return nil
	}
	status.Capabilities = capabilities
	err := r.client.Status().Patch(ctx, store, client.MergeFrom(before), client.FieldOwner(fieldManager))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status of %s: %w", keyOf(store), err)
	}
	eventType := corev1.EventTypeNormal
	if c.Status != corev1.ConditionTrue {
		eventType = corev1.EventTypeWarning
	}
	r.o.Recorder.Event(store, eventType, c.Reason, c.Message)
	return nil
}

// all returns every store.
func (r *storeReconciler) all(ctx context.Context, _ client.Object) []reconcile.Request {
	return r.those(ctx, func(v1.Store) bool { return true })
}

// usingToken returns the stores that log in with what a Secret holds.
func (r *storeReconciler) usingToken(ctx context.Context, obj client.Object) []reconcile.Request {
	return r.those(ctx, func(s v1.Store) bool {
		return slices.Contains(credentials(s), client.ObjectKeyFromObject(obj))
	})
}

// usingService returns the stores whose server an EndpointSlice is of.
func (r *storeReconciler) usingService(ctx context.Context, obj client.Object) []reconcile.Request {
	of := types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetLabels()[discoveryv1.LabelServiceName]}
	return r.those(ctx, func(s v1.Store) bool {
		name, ok := service(s)
		return ok && name == of
	})
}

func (r *storeReconciler) those(ctx context.Context, keep func(v1.Store) bool) []reconcile.Request {
	var requests []reconcile.Request
	for _, store := range listStores(ctx, r.client, r.kind) {
		if keep(store) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(store)})
		}
	}
	return requests
}

// outside waits for a server without a slot of the gate, which still knows
// that something is under way.
func outside(ctx context.Context, gate *work.Gate, ask func(context.Context) error) error {
	defer gate.Timer()()
	return work.Aside(ctx, ask)
}
