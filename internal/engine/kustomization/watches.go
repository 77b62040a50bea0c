package kustomization

import (
	"context"
	"strings"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/fluxcd/pkg/runtime/predicates"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	crsource "sigs.k8s.io/controller-runtime/pkg/source"

	"hearth/internal/kube/work"
)

const (
	sourceIndex = "hearth.kustomization.source"
	configIndex = "hearth.kustomization.config"

	// watchLabel on a ConfigMap or Secret makes its changes count at once.
	watchLabel = "reconcile.fluxcd.io/watch"
)

// register adds the controller and all it listens to.
func (r *reconciler) register(mgr manager.Manager) error {
	ctx := context.Background()
	if err := mgr.GetFieldIndexer().IndexField(ctx, &kustomizev1.Kustomization{}, sourceIndex, indexSource); err != nil {
		return err
	}
	if err := mgr.GetFieldIndexer().IndexField(ctx, &kustomizev1.Kustomization{}, configIndex, indexConfigs); err != nil {
		return err
	}
	r.o.Objects.Listen(r.wake.objectChanged)

	definitions := &metav1.PartialObjectMetadata{}
	definitions.SetGroupVersionKind(crdKind)
	skip := true
	b := builder.ControllerManagedBy(mgr).Named("kustomization").
		For(&kustomizev1.Kustomization{}, builder.WithPredicates(
			predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicates.ReconcileRequestedPredicate{}))).
		Watches(&kustomizev1.Kustomization{}, handler.EnqueueRequestsFromMapFunc(r.kustomizationChanged)).
		Watches(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.configChanged("ConfigMap"))).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.configChanged("Secret"))).
		WatchesMetadata(definitions, handler.EnqueueRequestsFromMapFunc(r.definitionChanged)).
		WatchesRawSource(crsource.Func(r.wake.start))
	for kind, obj := range map[string]client.Object{
		sourcev1.GitRepositoryKind:    &sourcev1.GitRepository{},
		sourcev1.OCIRepositoryKind:    &sourcev1.OCIRepository{},
		sourcev1.BucketKind:           &sourcev1.Bucket{},
		sourcev1.ExternalArtifactKind: &sourcev1.ExternalArtifact{},
	} {
		b = b.Watches(obj, handler.EnqueueRequestsFromMapFunc(r.sourceChanged(kind)))
	}
	return b.WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, SkipNameValidation: &skip, RateLimiter: work.Limiter()}).
		Complete(work.Reconciler(r.o.Gate, r))
}

func indexSource(o client.Object) []string {
	name := sourceName(o.(*kustomizev1.Kustomization))
	return []string{strings.Join(name[:], "/")}
}

// indexConfigs names the ConfigMaps and Secrets that variables, keys and
// kubeconfigs come from.
func indexConfigs(o client.Object) []string {
	k := o.(*kustomizev1.Kustomization)
	var names []string
	add := func(kind, name string) {
		names = append(names, kind+"/"+k.Namespace+"/"+name)
	}
	if k.Spec.PostBuild != nil {
		for _, ref := range k.Spec.PostBuild.SubstituteFrom {
			add(ref.Kind, ref.Name)
		}
	}
	if d := k.Spec.Decryption; d != nil && d.SecretRef != nil {
		add("Secret", d.SecretRef.Name)
	}
	if c := k.Spec.KubeConfig; c != nil && c.SecretRef != nil {
		add("Secret", c.SecretRef.Name)
	}
	return names
}

// kustomizationChanged wakes those that wait for a Kustomization.
func (r *reconciler) kustomizationChanged(_ context.Context, obj client.Object) []reconcile.Request {
	r.wake.kustomizationChanged(client.ObjectKeyFromObject(obj))
	return nil
}

// definitionChanged wakes those that wait for a kind; a definition is named
// for its plural and group.
func (r *reconciler) definitionChanged(_ context.Context, obj client.Object) []reconcile.Request {
	r.crds.change()
	if _, group, ok := strings.Cut(obj.GetName(), "."); ok {
		r.wake.definitionChanged(group)
	}
	return nil
}

// sourceChanged queues the Kustomizations that have not tried a source's
// revision yet.
func (r *reconciler) sourceChanged(kind string) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		artifact := obj.(interface{ GetArtifact() *meta.Artifact }).GetArtifact()
		return r.requests(ctx, sourceIndex, kind+"/"+obj.GetNamespace()+"/"+obj.GetName(), func(k *kustomizev1.Kustomization) bool {
			return artifact != nil && !artifact.HasRevision(k.Status.LastAttemptedRevision) || waitsForSource(k)
		})
	}
}

// waitsForSource reports whether a Kustomization found no artifact last time.
func waitsForSource(k *kustomizev1.Kustomization) bool {
	return conditions.IsFalse(k, meta.ReadyCondition) && conditions.GetReason(k, meta.ReadyCondition) == meta.ArtifactFailedReason
}

// configChanged queues the Kustomizations that read an object which is labelled
// to be watched, and those that could not be built, or not reach their cluster.
func (r *reconciler) configChanged(kind string) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		watched := strings.EqualFold(obj.GetLabels()[watchLabel], "enabled")
		requests := r.requests(ctx, configIndex, kind+"/"+obj.GetNamespace()+"/"+obj.GetName(), func(k *kustomizev1.Kustomization) bool {
			reason := conditions.GetReason(k, meta.ReadyCondition)
			return watched || reason == meta.BuildFailedReason || k.Spec.KubeConfig != nil && reason == meta.ReconciliationFailedReason
		})
		for _, request := range requests {
			r.memory.expire(request.NamespacedName)
		}
		return requests
	}
}

func (r *reconciler) requests(ctx context.Context, index, value string, want func(*kustomizev1.Kustomization) bool) []reconcile.Request {
	var list kustomizev1.KustomizationList
	if err := r.client.List(ctx, &list, client.MatchingFields{index: value}); err != nil {
		return nil // the cache is stopping
	}
	var requests []reconcile.Request
	for i := range list.Items {
		if k := &list.Items[i]; want(k) {
			requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: k.Namespace, Name: k.Name}})
		}
	}
	return requests
}
