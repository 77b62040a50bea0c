package externalsecret

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
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

// clusterwide makes the ExternalSecrets of ClusterExternalSecrets: one in each
// namespace that is meant, none elsewhere.
type clusterwide struct {
	o       Options
	client  client.Client
	live    client.Reader // past the cache
	backoff *work.Backoff[types.NamespacedName]
}

func setupClusterwide(mgr manager.Manager, o Options) error {
	r := &clusterwide{o: o, client: mgr.GetClient(), live: mgr.GetAPIReader(), backoff: &work.Backoff[types.NamespacedName]{}}
	moved := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return !maps.Equal(e.ObjectOld.GetLabels(), e.ObjectNew.GetLabels()) || e.ObjectNew.GetDeletionTimestamp() != nil
	}}
	return builder.ControllerManagedBy(mgr).Named("external-secrets-clusterexternalsecret").
		For(&v1.ClusterExternalSecret{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&v1.ExternalSecret{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.all), builder.WithPredicates(moved)).
		WithOptions(options()).
		Complete(work.Reconciler(o.Gate, r))
}

func (r *clusterwide) all(ctx context.Context, _ client.Object) []reconcile.Request {
	var list v1.ClusterExternalSecretList
	if err := r.client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil // the cache fails only when it is stopped
	}
	var requests []reconcile.Request
	for i := range list.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
	}
	return requests
}

// Reconcile brings the ExternalSecrets of one ClusterExternalSecret about.
func (r *clusterwide) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	ces := &v1.ClusterExternalSecret{}
	err := r.live.Get(ctx, req.NamespacedName, ces) // its status says what there is to remove
	if client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("read the ClusterExternalSecret %s: %w", req.Name, err)
	}
	if err != nil || ces.DeletionTimestamp != nil {
		r.backoff.Forget(req.NamespacedName) // the ExternalSecrets go with their owner
		return reconcile.Result{}, nil
	}
	done, failed, err := r.spread(ctx, ces)
	if err != nil {
		return reconcile.Result{}, err
	}
	if err := r.report(ctx, ces, done, failed); err != nil {
		return reconcile.Result{}, err
	}
	if len(failed) > 0 {
		return reconcile.Result{RequeueAfter: r.backoff.Next(req.NamespacedName, r.o.RetryCap)}, nil
	}
	r.backoff.Forget(req.NamespacedName)
	interval := defaultInterval
	if ces.Spec.RefreshInterval != nil {
		interval = ces.Spec.RefreshInterval.Duration
	}
	if interval <= 0 {
		return reconcile.Result{}, nil
	}
	return reconcile.Result{RequeueAfter: max(interval, time.Second)}, nil
}

// spread writes the ExternalSecrets that there should be, and deletes those
// that there should not.
func (r *clusterwide) spread(ctx context.Context, ces *v1.ClusterExternalSecret) (done []string, failed []v1.NamespaceFailure, err error) {
	wanted, err := r.namespaces(ctx, ces)
	if err != nil {
		return nil, []v1.NamespaceFailure{{Reason: err.Error()}}, nil
	}
	name := cmp.Or(ces.Spec.ExternalSecretName, ces.Name)
	for _, namespace := range wanted {
		if err := r.write(ctx, ces, namespace, name); err != nil {
			failed = append(failed, v1.NamespaceFailure{Namespace: namespace, Reason: err.Error()})
			continue
		}
		done = append(done, namespace)
	}
	for _, namespace := range ces.Status.ProvisionedNamespaces {
		old := cmp.Or(ces.Status.ExternalSecretName, name)
		if old == name && slices.Contains(wanted, namespace) {
			continue
		}
		if err := r.remove(ctx, ces, namespace, old); err != nil {
			failed = append(failed, v1.NamespaceFailure{Namespace: namespace, Reason: err.Error()})
			if !slices.Contains(done, namespace) {
				done = append(done, namespace) // it is still there, to be removed later
			}
		}
	}
	slices.Sort(done)
	return done, failed, ctx.Err()
}

// namespaces returns those that are meant and not on their way out, by name.
func (r *clusterwide) namespaces(ctx context.Context, ces *v1.ClusterExternalSecret) ([]string, error) {
	selectors := ces.Spec.NamespaceSelectors
	if ces.Spec.NamespaceSelector != nil {
		selectors = append(slices.Clone(selectors), ces.Spec.NamespaceSelector)
	}
	var any []labels.Selector
	for _, s := range selectors {
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
		meant := slices.Contains(ces.Spec.Namespaces, ns.Name) ||
			slices.ContainsFunc(any, func(s labels.Selector) bool { return s.Matches(labels.Set(ns.Labels)) })
		if meant && ns.DeletionTimestamp == nil {
			names = append(names, ns.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// write brings one ExternalSecret about, if it is not as it should be.
func (r *clusterwide) write(ctx context.Context, ces *v1.ClusterExternalSecret, namespace, name string) error {
	es := &v1.ExternalSecret{}
	err := r.client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, es)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("could not read the ExternalSecret: %w", err)
	}
	isNew := err != nil
	if !isNew && !metav1.IsControlledBy(es, ces) {
		return errors.New("external secret already exists in namespace")
	}
	before := es.DeepCopy()
	es.Namespace, es.Name = namespace, name
	es.Labels, es.Annotations = maps.Clone(ces.Spec.ExternalSecretMetadata.Labels), maps.Clone(ces.Spec.ExternalSecretMetadata.Annotations)
	if since := before.Annotations[v1.ForceSyncAnnotation]; since != "" && es.Annotations[v1.ForceSyncAnnotation] == "" {
		metav1.SetMetaDataAnnotation(&es.ObjectMeta, v1.ForceSyncAnnotation, since) // somebody's wish, not drift
	}
	es.Spec = *ces.Spec.ExternalSecretSpec.DeepCopy()
	if isNew {
		es.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(ces, v1.GroupVersion.WithKind(v1.ClusterExternalSecretKind))}
		err = r.client.Create(ctx, es, client.FieldOwner(fieldManager))
	} else if !equality.Semantic.DeepEqual(before, es) {
		err = r.client.Update(ctx, es, client.FieldOwner(fieldManager))
	}
	if err != nil && !(isNew && apierrors.IsNotFound(err)) { // the namespace may be gone by now
		return fmt.Errorf("could not create or update the ExternalSecret: %w", err)
	}
	return nil
}

// remove deletes an ExternalSecret of the ClusterExternalSecret's own.
func (r *clusterwide) remove(ctx context.Context, ces *v1.ClusterExternalSecret, namespace, name string) error {
	es := &v1.ExternalSecret{}
	err := r.client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, es)
	if err == nil && metav1.IsControlledBy(es, ces) {
		err = r.client.Delete(ctx, es, client.Preconditions{UID: &es.UID})
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("could not delete the ExternalSecret %s: %w", name, err)
	}
	return nil
}

// report writes the status if it changed.
func (r *clusterwide) report(ctx context.Context, ces *v1.ClusterExternalSecret, done []string, failed []v1.NamespaceFailure) error {
	before := ces.DeepCopy()
	c := v1.Condition{Type: v1.ConditionReady, Status: corev1.ConditionTrue}
	if len(failed) > 0 {
		c.Status, c.Message = corev1.ConditionFalse, "one or more namespaces failed"
	}
	ces.Status.ProvisionedNamespaces, ces.Status.FailedNamespaces = done, failed
	ces.Status.ExternalSecretName = cmp.Or(ces.Spec.ExternalSecretName, ces.Name)
	v1.SetCondition(&ces.Status.Conditions, c)
	if equality.Semantic.DeepEqual(before.Status, ces.Status) {
		return nil
	}
	err := r.client.Status().Patch(ctx, ces, client.MergeFrom(before), client.FieldOwner(fieldManager))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status of the ClusterExternalSecret %s: %w", ces.Name, err)
	}
	return nil
}
