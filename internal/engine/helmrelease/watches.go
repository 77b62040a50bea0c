package helmrelease

import (
	"cmp"
	"context"
	"maps"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/fluxcd/pkg/runtime/predicates"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Indexes over HelmReleases, by what they refer to.
const (
	bySource     = "hearth.helmrelease.source"
	byDependency = "hearth.helmrelease.dependency"
	byValues     = "hearth.helmrelease.values"
)

// watchLabel asks for a reconciliation as soon as a referenced ConfigMap or
// Secret changes, instead of with the next interval.
const watchLabel = "reconcile.fluxcd.io/watch"

func (r *reconciler) index(mgr manager.Manager) error {
	indexes := map[string]func(*helmv2.HelmRelease) []string{
		bySource: func(hr *helmv2.HelmRelease) []string {
			kind, namespace, name := sourceOf(hr)
			return []string{kind + "/" + namespacedName(namespace, name)}
		},
		byDependency: func(hr *helmv2.HelmRelease) []string {
			var keys []string
			for _, d := range hr.Spec.DependsOn {
				keys = append(keys, namespacedName(cmp.Or(d.Namespace, hr.Namespace), d.Name))
			}
			return keys
		},
		byValues: func(hr *helmv2.HelmRelease) []string {
			var keys []string
			for _, ref := range hr.Spec.ValuesFrom {
				keys = append(keys, ref.Kind+"/"+namespacedName(hr.Namespace, ref.Name))
			}
			return keys
		},
	}
	for field, keys := range indexes {
		err := mgr.GetFieldIndexer().IndexField(context.Background(), &helmv2.HelmRelease{}, field, func(obj client.Object) []string {
			return keys(obj.(*helmv2.HelmRelease))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dependents returns the HelmReleases that depend on one.
func (r *reconciler) dependents(ctx context.Context, obj client.Object) []reconcile.Request {
	return r.referring(ctx, byDependency, client.ObjectKeyFromObject(obj).String(), nil)
}

// usersOf returns the HelmReleases that take their chart from a source.
func (r *reconciler) usersOf(kind string) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		return r.referring(ctx, bySource, kind+"/"+client.ObjectKeyFromObject(obj).String(), nil)
	}
}

// valuedBy returns the HelmReleases that take values from an object: all of
// them where it asks for that, else those that are not ready.
func (r *reconciler) valuedBy(kind string) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		always := obj.GetLabels()[watchLabel] == "Enabled"
		return r.referring(ctx, byValues, kind+"/"+client.ObjectKeyFromObject(obj).String(), func(hr *helmv2.HelmRelease) bool {
			return always || !conditions.IsReady(hr) && !conditions.IsStalled(hr)
		})
	}
}

func (r *reconciler) referring(ctx context.Context, index, key string, keep func(*helmv2.HelmRelease) bool) []reconcile.Request {
	var list helmv2.HelmReleaseList
	if err := r.client.List(ctx, &list, client.MatchingFields{index: key}, client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}
	var requests []reconcile.Request
	for i := range list.Items {
		if keep == nil || keep(&list.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return requests
}

// asksForWork lets through what changes a HelmRelease's desired state or asks
// for a reconciliation; not what the reconciler itself writes.
func asksForWork() predicate.Predicate {
	return predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicates.ReconcileRequestedPredicate{})
}

// readinessChanged lets through a HelmRelease whose dependants may have
// something to do.
func readinessChanged() predicate.Predicate {
	ready := func(obj client.Object) bool {
		hr, ok := obj.(*helmv2.HelmRelease)
		return ok && conditions.IsReady(hr) && hr.Generation == hr.Status.ObservedGeneration
	}
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return ready(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return ready(e.ObjectOld) != ready(e.ObjectNew) || e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration()
		},
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// artifactChanged lets through a source that has something new to offer.
func artifactChanged() predicate.Predicate {
	state := func(obj client.Object) (string, bool) {
		var artifact *meta.Artifact
		var ready bool
		switch s := obj.(type) {
		case *sourcev1.OCIRepository:
			artifact, ready = s.Status.Artifact, conditions.IsReady(s)
		case *sourcev1.HelmChart:
			artifact, ready = s.Status.Artifact, conditions.IsReady(s)
		case *sourcev1.ExternalArtifact:
			// Whoever writes it need not say whether it is ready.
			artifact = s.Status.Artifact
		}
		if artifact == nil {
			return "", ready
		}
		return artifact.Revision + artifact.Digest, ready
	}
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			oldArtifact, oldReady := state(e.ObjectOld)
			newArtifact, newReady := state(e.ObjectNew)
			return oldArtifact != newArtifact || newReady && !oldReady
		},
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}
}

// dataChanged lets through ConfigMaps and Secrets that may hold values.
func dataChanged() predicate.Predicate {
	return predicate.And[client.Object](
		predicate.NewPredicateFuncs(func(obj client.Object) bool {
			secret, ok := obj.(*corev1.Secret)
			return !ok || secret.Type != "helm.sh/release.v1"
		}),
		predicate.Funcs{
			UpdateFunc: func(e event.UpdateEvent) bool {
				switch after := e.ObjectNew.(type) {
				case *corev1.Secret:
					before, ok := e.ObjectOld.(*corev1.Secret)
					return !ok || !maps.EqualFunc(before.Data, after.Data, func(a, b []byte) bool { return string(a) == string(b) })
				case *corev1.ConfigMap:
					before, ok := e.ObjectOld.(*corev1.ConfigMap)
					return !ok || !maps.Equal(before.Data, after.Data)
				}
				return true
			},
			DeleteFunc: func(event.DeleteEvent) bool { return false },
		},
	)
}
