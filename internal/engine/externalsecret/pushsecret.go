package externalsecret

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/api/externalsecrets/v1alpha1"
	"hearth/internal/kube/work"
)

// pushFinalizer keeps a PushSecret until its values are out of the stores.
const pushFinalizer = "pushsecret.externalsecrets.io/finalizer"

// Messages, as External Secrets Operator begins them.
const (
	messagePushed     = "PushSecret synced successfully"
	messageNotCleared = "failed to delete secrets from provider"
)

// pusher writes values of Secrets to stores, for PushSecrets.
type pusher struct {
	*reconciler // for stores, templates and the way it reads
	memory      pushMemory
}

func setupPushSecrets(mgr manager.Manager, r *reconciler) error {
	p := &pusher{reconciler: r}
	changed := predicate.Or(predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{}, predicate.AnnotationChangedPredicate{})
	return builder.ControllerManagedBy(mgr).Named("external-secrets-pushsecret").
		For(&v1alpha1.PushSecret{}, builder.WithPredicates(changed)).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(p.takingFrom)).
		Watches(&v1.SecretStore{}, handler.EnqueueRequestsFromMapFunc(p.unsynced), builder.WithPredicates(readinessChanged())).
		Watches(&v1.ClusterSecretStore{}, handler.EnqueueRequestsFromMapFunc(p.unsynced), builder.WithPredicates(readinessChanged())).
		WithOptions(options()).
		Complete(work.Reconciler(r.o.Gate, p))
}

// takingFrom returns the PushSecrets that push a Secret.
func (p *pusher) takingFrom(ctx context.Context, obj client.Object) []reconcile.Request {
	return p.those(ctx, obj.GetNamespace(), func(ps *v1alpha1.PushSecret) bool {
		s := ps.Spec.Selector.Secret
		return s != nil && (s.Name == obj.GetName() || s.Selector != nil)
	})
}

// unsynced returns the PushSecrets that are not in sync.
func (p *pusher) unsynced(ctx context.Context, obj client.Object) []reconcile.Request {
	return p.those(ctx, obj.GetNamespace(), func(ps *v1alpha1.PushSecret) bool { return !v1.IsReady(ps.Status.Conditions) })
}

// those returns the PushSecrets of a namespace, or of all, that a choice keeps.
func (p *pusher) those(ctx context.Context, namespace string, keep func(*v1alpha1.PushSecret) bool) []reconcile.Request {
	var list v1alpha1.PushSecretList
	if err := p.client.List(ctx, &list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil // the cache fails only when it is stopped
	}
	var requests []reconcile.Request
	for i := range list.Items {
		if keep(&list.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return requests
}

// Reconcile pushes the values of one PushSecret, if it is time for that.
func (p *pusher) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	ps := &v1alpha1.PushSecret{}
	err := p.live.Get(ctx, req.NamespacedName, ps) // its status decides what is taken out of stores
	if apierrors.IsNotFound(err) {
		p.memory.forget(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("read the PushSecret %s: %w", req, err)
	}
	if ps.DeletionTimestamp != nil {
		return p.withdraw(ctx, ps)
	}
	if err := p.hold(ctx, ps); err != nil {
		return reconcile.Result{}, err
	}
	sources, err := p.sources(ctx, ps)
	if err != nil {
		return p.failed(ctx, ps, nil, err)
	}
	if wait, never := p.next(ps, sources); never || wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	var written written
	err = outside(ctx, p.o.Gate, func(ctx context.Context) (err error) {
		written, err = p.push(ctx, ps, sources)
		return err
	})
	if err != nil {
		return p.failed(ctx, ps, written, err)
	}
	return p.pushed(ctx, ps, sources, written)
}

// hold keeps the finalizer as the deletion policy wants it.
func (p *pusher) hold(ctx context.Context, ps *v1alpha1.PushSecret) error {
	before := ps.DeepCopy()
	if ps.Spec.DeletionPolicy == v1alpha1.DeletionDelete {
		controllerutil.AddFinalizer(ps, pushFinalizer)
	} else {
		controllerutil.RemoveFinalizer(ps, pushFinalizer)
	}
	if slices.Equal(before.Finalizers, ps.Finalizers) {
		return nil
	}
	err := p.client.Patch(ctx, ps, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), client.FieldOwner(fieldManager))
	if err != nil {
		return fmt.Errorf("write the finalizer of the PushSecret %s/%s: %w", ps.Namespace, ps.Name, err)
	}
	return nil
}

// withdraw takes what was pushed out of the stores, and lets the PushSecret go.
func (p *pusher) withdraw(ctx context.Context, ps *v1alpha1.PushSecret) (reconcile.Result, error) {
	p.memory.forget(client.ObjectKeyFromObject(ps))
	if !controllerutil.ContainsFinalizer(ps, pushFinalizer) {
		return reconcile.Result{}, nil
	}
	err := outside(ctx, p.o.Gate, func(ctx context.Context) error { return p.clear(ctx, ps, nil) })
	if err != nil {
		return p.failed(ctx, ps, nil, fmt.Errorf("%s: %w", messageNotCleared, err))
	}
	before := ps.DeepCopy()
	controllerutil.RemoveFinalizer(ps, pushFinalizer)
	err = p.client.Patch(ctx, ps, client.MergeFrom(before), client.FieldOwner(fieldManager))
	return reconcile.Result{}, client.IgnoreNotFound(err)
}

// next says when to push again: after a wait, never by itself, or now.
func (p *pusher) next(ps *v1alpha1.PushSecret, sources []*corev1.Secret) (wait time.Duration, never bool) {
	known := p.memory.about(client.ObjectKeyFromObject(ps))
	switch {
	case !v1.IsReady(ps.Status.Conditions), ps.Status.SyncedResourceVersion != versionOf(ps):
		return 0, false
	case ps.Spec.Selector.GeneratorRef == nil && known != hashSources(sources):
		return 0, false
	}
	interval := pushInterval(ps)
	if interval <= 0 {
		return 0, true
	}
	return max(time.Until(ps.Status.RefreshTime.Add(interval)), 0), false
}

func pushInterval(ps *v1alpha1.PushSecret) time.Duration {
	if ps.Spec.RefreshInterval == nil {
		return defaultInterval
	}
	return ps.Spec.RefreshInterval.Duration
}

// sources returns the Secrets to push, by name; none for a generator, which is
// asked when it is time.
func (p *pusher) sources(ctx context.Context, ps *v1alpha1.PushSecret) ([]*corev1.Secret, error) {
	from := ps.Spec.Selector.Secret
	switch {
	case ps.Spec.Selector.GeneratorRef != nil:
		return nil, nil
	case from == nil:
		return nil, errors.New("spec.selector names neither a Secret nor a generator")
	case from.Name != "":
		secret := &corev1.Secret{}
		err := p.client.Get(ctx, types.NamespacedName{Namespace: ps.Namespace, Name: from.Name}, secret)
		if apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("could not get source secret: the Secret %s does not exist", from.Name)
		}
		return []*corev1.Secret{secret}, err
	case from.Selector == nil:
		return nil, errors.New("spec.selector.secret has neither a name nor a selector")
	}
	selector, err := metav1.LabelSelectorAsSelector(from.Selector)
	if err != nil {
		return nil, fmt.Errorf("spec.selector.secret.selector: %w", err)
	}
	var list corev1.SecretList
	if err := p.client.List(ctx, &list, client.InNamespace(ps.Namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return nil, fmt.Errorf("list the Secrets to push: %w", err)
	}
	var out []*corev1.Secret
	for i := range list.Items {
		out = append(out, &list.Items[i])
	}
	slices.SortFunc(out, func(a, b *corev1.Secret) int { return strings.Compare(a.Name, b.Name) })
	if len(out) == 0 {
		return nil, errors.New("could not get source secret: no Secret has the labels of spec.selector.secret.selector")
	}
	return out, nil
}

// pushed writes a success down.
func (p *pusher) pushed(ctx context.Context, ps *v1alpha1.PushSecret, sources []*corev1.Secret, w written) (reconcile.Result, error) {
	before := ps.DeepCopy()
	ps.Status.SyncedPushSecrets = w
	ps.Status.RefreshTime, ps.Status.SyncedResourceVersion = statusTime(), versionOf(ps)
	message := messagePushed
	if ps.Spec.UpdatePolicy == v1alpha1.UpdateIfNotExists {
		message += ". Existing secrets in providers unchanged."
	}
	changed := v1.SetCondition(&ps.Status.Conditions, v1.Condition{
		Type: v1.ConditionReady, Status: corev1.ConditionTrue, Reason: v1alpha1.ReasonSynced, Message: message,
	})
	if err := p.writeStatus(ctx, ps, before); err != nil {
		return reconcile.Result{}, err
	}
	p.memory.succeed(client.ObjectKeyFromObject(ps), hashSources(sources))
	if changed {
		p.o.Recorder.Event(ps, corev1.EventTypeNormal, v1alpha1.ReasonSynced, message)
	}
	if interval := pushInterval(ps); interval > 0 {
		return reconcile.Result{RequeueAfter: max(interval, time.Second)}, nil
	}
	return reconcile.Result{}, nil
}

// failed writes a failure down, with what was written all the same, and says
// when to try again.
func (p *pusher) failed(ctx context.Context, ps *v1alpha1.PushSecret, w written, cause error) (reconcile.Result, error) {
	if ctx.Err() != nil {
		return reconcile.Result{}, ctx.Err()
	}
	before := ps.DeepCopy()
	if len(w) > 0 {
		ps.Status.SyncedPushSecrets = w.with(ps.Status.SyncedPushSecrets)
	}
	message := strings.ReplaceAll(cause.Error(), "\n", "; ")
	changed := v1.SetCondition(&ps.Status.Conditions, v1.Condition{
		Type: v1.ConditionReady, Status: corev1.ConditionFalse, Reason: v1alpha1.ReasonErrored, Message: message,
	})
	if err := p.writeStatus(ctx, ps, before); err != nil {
		return reconcile.Result{}, err
	}
	if changed {
		p.o.Recorder.Event(ps, corev1.EventTypeWarning, v1alpha1.ReasonErrored, message)
	}
	if blamesStore(cause) {
		p.o.Trigger.pokeStores()
	}
	return reconcile.Result{RequeueAfter: p.memory.fail(client.ObjectKeyFromObject(ps), p.o.RetryCap)}, nil
}

// writeStatus writes the whole status: its map has keys that a merge would keep.
func (p *pusher) writeStatus(ctx context.Context, ps, before *v1alpha1.PushSecret) error {
	err := p.client.Status().Patch(ctx, ps, client.MergeFrom(before), client.FieldOwner(fieldManager))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status of the PushSecret %s/%s: %w", ps.Namespace, ps.Name, err)
	}
	return nil
}

// written is what stores were given: by Kind/name of the store, and the place.
type written map[string]map[string]v1alpha1.PushSecretData

func (w written) add(store, place string, data v1alpha1.PushSecretData) {
	if w[store] == nil {
		w[store] = map[string]v1alpha1.PushSecretData{}
	}
	w[store][place] = data
}

// with returns what was written now and what was before.
func (w written) with(old map[string]map[string]v1alpha1.PushSecretData) written {
	out := written{}
	for _, all := range []map[string]map[string]v1alpha1.PushSecretData{old, w} {
		for store, places := range all {
			for place, data := range places {
				out.add(store, place, data)
			}
		}
	}
	return out
}

// has reports whether a place of a store was written.
func (w written) has(store, place string) bool {
	_, ok := w[store][place]
	return ok
}

// placeOf names a place in a store.
func placeOf(at v1alpha1.PushSecretRemoteRef) string {
	if at.Property != "" {
		return at.RemoteKey + "/" + at.Property
	}
	return at.RemoteKey
}

// clear takes out of the stores what was pushed and is not kept.
func (p *pusher) clear(ctx context.Context, ps *v1alpha1.PushSecret, keep written) error {
	for _, id := range slices.Sorted(maps.Keys(ps.Status.SyncedPushSecrets)) {
		places := ps.Status.SyncedPushSecrets[id]
		for _, place := range slices.Sorted(maps.Keys(places)) {
			if keep.has(id, place) {
				continue
			}
			kind, name, _ := strings.Cut(id, "/")
			w, err := p.writerOf(ctx, ps, keyOfRef(v1.SecretStoreRef{Kind: kind, Name: name}, ps.Namespace))
			if err != nil {
				return err
			}
			if err := w.remove(ctx, places[place].Match.RemoteRef); err != nil {
				return fmt.Errorf("take %s out of the store %s: %w", place, id, err)
			}
		}
	}
	return nil
}
