package externalsecret

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/kube/work"
)

// clusterwide brings about what the objects of one cluster-wide kind ask for:
// an object in each namespace that is meant, none elsewhere.
type clusterwide struct {
	spreadKind
	o       Options
	client  client.Client
	live    client.Reader // past the cache
	backoff *work.Backoff[types.NamespacedName]
}

func setupClusterwide(mgr manager.Manager, o Options, kind spreadKind) error {
	r := &clusterwide{spreadKind: kind, o: o, client: mgr.GetClient(), live: mgr.GetAPIReader(), backoff: &work.Backoff[types.NamespacedName]{}}
	moved := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return !maps.Equal(e.ObjectOld.GetLabels(), e.ObjectNew.GetLabels()) || e.ObjectNew.GetDeletionTimestamp() != nil
	}}
	return builder.ControllerManagedBy(mgr).Named("external-secrets-"+strings.ToLower(kind.kind.Kind)).
		For(kind.newWide().object(), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(kind.newMade(), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.all), builder.WithPredicates(moved)).
		WithOptions(options()).
		Complete(work.Reconciler(o.Gate, r))
}

func (r *clusterwide) all(ctx context.Context, _ client.Object) []reconcile.Request {
	list := r.newList()
	if err := r.client.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return nil // the cache fails only when it is stopped
	}
	var requests []reconcile.Request
	_ = meta.EachListItem(list, func(obj runtime.Object) error { // fails only if we do
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj.(client.Object))})
		return nil
	})
	return requests
}

// Reconcile brings the objects of one that is cluster-wide about.
func (r *clusterwide) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	wide := r.newWide()
	err := r.live.Get(ctx, req.NamespacedName, wide.object()) // its status says what there is to remove
	if client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("read the %s %s: %w", r.kind.Kind, req.Name, err)
	}
	if err != nil || wide.object().GetDeletionTimestamp() != nil {
		r.backoff.Forget(req.NamespacedName) // what was made goes with its owner
		return reconcile.Result{}, nil
	}
	want := wide.wish()
	before := wide.object().DeepCopyObject().(client.Object)
	cause := r.spread(ctx, wide, want)
	if ctx.Err() != nil {
		return reconcile.Result{}, ctx.Err()
	}
	if err := r.report(ctx, wide, before, cause); err != nil {
		return reconcile.Result{}, err
	}
	if cause != nil {
		return reconcile.Result{RequeueAfter: r.backoff.Next(req.NamespacedName, r.o.RetryCap)}, nil
	}
	r.backoff.Forget(req.NamespacedName)
	interval := defaultInterval
	if want.interval != nil {
		interval = want.interval.Duration
	}
	if interval <= 0 {
		return reconcile.Result{}, nil
	}
	return reconcile.Result{RequeueAfter: max(interval, time.Second)}, nil
}

// spread writes the objects that there should be, deletes those that there
// should not, and notes both in the status.
func (r *clusterwide) spread(ctx context.Context, wide spread, want wish) error {
	wanted, err := r.namespaces(ctx, want)
	if err != nil {
		return fmt.Errorf("failed to get target namespaces: %w", err) // what there is stays
	}
	var done []string
	var failed []v1.NamespaceFailure
	for _, namespace := range wanted {
		if err := r.write(ctx, wide, want, namespace); err != nil {
			failed = append(failed, v1.NamespaceFailure{Namespace: namespace, Reason: err.Error()})
			continue
		}
		done = append(done, namespace)
	}
	s := wide.status()
	old, name := cmp.Or(*s.name, want.name), want.name
	for _, namespace := range *s.provisioned {
		if old == want.name && slices.Contains(wanted, namespace) {
			continue
		}
		if err := r.remove(ctx, wide, namespace, old); err != nil {
			failed = append(failed, v1.NamespaceFailure{Namespace: namespace, Reason: err.Error()})
			name = old // it is still there, to be removed later
			if !slices.Contains(done, namespace) {
				done = append(done, namespace)
			}
		}
	}
	slices.Sort(done)
	*s.provisioned, *s.failed, *s.name = done, failed, name
	if len(failed) > 0 {
		return errors.New("one or more namespaces failed")
	}
	return nil
}

// namespaces returns those that are meant and not on their way out, by name.
func (r *clusterwide) namespaces(ctx context.Context, want wish) ([]string, error) {
	var any []labels.Selector
	for _, s := range want.selectors {
		selector, err := metav1.LabelSelectorAsSelector(s)
		if err != nil {
			return nil, fmt.Errorf("a namespace selector cannot be used: %w", err)
		}
		any = append(any, selector)
	}
	var list corev1.NamespaceList
	if err := r.client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the namespaces: %w", err)
	}
	var names []string
	for i := range list.Items {
		ns := &list.Items[i]
		meant := slices.Contains(want.namespaces, ns.Name) ||
			slices.ContainsFunc(any, func(s labels.Selector) bool { return s.Matches(labels.Set(ns.Labels)) })
		if meant && ns.DeletionTimestamp == nil {
			names = append(names, ns.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// write brings one object about, if it is not as it should be.
func (r *clusterwide) write(ctx context.Context, wide spread, want wish, namespace string) error {
	made := r.newMade()
	err := r.client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: want.name}, made)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("could not read the %s: %w", r.made.Kind, err)
	}
	isNew := err != nil
	if !isNew && !metav1.IsControlledBy(made, wide.object()) {
		return errors.New(r.taken)
	}
	before := made.DeepCopyObject().(client.Object)
	made.SetNamespace(namespace)
	made.SetName(want.name)
	made.SetLabels(maps.Clone(want.labels))
	made.SetAnnotations(keepForceSync(want.annotations, before.GetAnnotations()))
	wide.fill(made)
	if isNew {
		made.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(wide.object(), r.kind)})
		err = r.client.Create(ctx, made, client.FieldOwner(fieldManager))
	} else if !equality.Semantic.DeepEqual(before, made) {
		err = r.client.Update(ctx, made, client.FieldOwner(fieldManager))
	}
	if err != nil && !(isNew && apierrors.IsNotFound(err)) { // the namespace may be gone by now
		return fmt.Errorf("could not create or update the %s: %w", r.made.Kind, err)
	}
	return nil
}

// keepForceSync returns the annotations that are wanted, with the wish to sync
// that somebody wrote into the object: it is no drift.
func keepForceSync(want, had map[string]string) map[string]string {
	out := maps.Clone(want)
	if since := had[v1.ForceSyncAnnotation]; since != "" && out[v1.ForceSyncAnnotation] == "" {
		if out == nil {
			out = map[string]string{}
		}
		out[v1.ForceSyncAnnotation] = since
	}
	return out
}

// remove deletes an object that was made for one that is cluster-wide.
func (r *clusterwide) remove(ctx context.Context, wide spread, namespace, name string) error {
	made := r.newMade()
	err := r.client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, made)
	if err == nil && metav1.IsControlledBy(made, wide.object()) {
		uid := made.GetUID()
		err = r.client.Delete(ctx, made, client.Preconditions{UID: &uid})
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("could not delete the %s %s: %w", r.made.Kind, name, err)
	}
	return nil
}

// report writes the status if it changed.
func (r *clusterwide) report(ctx context.Context, wide spread, before client.Object, cause error) error {
	c := v1.Condition{Type: v1.ConditionReady, Status: corev1.ConditionTrue}
	if cause != nil {
		c.Status, c.Message = corev1.ConditionFalse, cause.Error()
	}
	v1.SetCondition(wide.status().conditions, c)
	if equality.Semantic.DeepEqual(before, wide.object()) {
		return nil
	}
	err := r.client.Status().Patch(ctx, wide.object(), client.MergeFrom(before), client.FieldOwner(fieldManager))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status of the %s %s: %w", r.kind.Kind, before.GetName(), err)
	}
	return nil
}
