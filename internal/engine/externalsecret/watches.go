package externalsecret

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// Indexes of ExternalSecrets.
const (
	byTarget   = "hearth.target"   // name of the Secret
	byTemplate = "hearth.template" // Kind/name of what holds its templates
	byStore    = "hearth.store"    // storeKey of the stores it reads
)

func indexExternalSecrets(mgr manager.Manager) error {
	for name, values := range map[string]func(*v1.ExternalSecret) []string{
		byTarget: func(es *v1.ExternalSecret) []string {
			if isObject(es) {
				return nil
			}
			return []string{es.TargetName()}
		},
		byObject: func(es *v1.ExternalSecret) []string {
			if !isObject(es) {
				return nil
			}
			return []string{objectIndex(objectKind(es), es.TargetName())}
		},
		byTemplate: templateSources,
		byStore: func(es *v1.ExternalSecret) []string {
			var keys []string
			for _, key := range storesOf(es) {
				keys = append(keys, key.String())
			}
			return keys
		},
	} {
		err := mgr.GetFieldIndexer().IndexField(context.Background(), &v1.ExternalSecret{}, name, func(obj client.Object) []string {
			return values(obj.(*v1.ExternalSecret))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func templateSources(es *v1.ExternalSecret) []string {
	if es.Spec.Target.Template == nil {
		return nil
	}
	var names []string
	for _, from := range es.Spec.Target.Template.TemplateFrom {
		if from.ConfigMap != nil {
			names = append(names, "ConfigMap/"+from.ConfigMap.Name)
		}
		if from.Secret != nil {
			names = append(names, "Secret/"+from.Secret.Name)
		}
	}
	return names
}

// storesOf returns the stores that an ExternalSecret reads from, each once.
func storesOf(es *v1.ExternalSecret) []storeKey {
	var keys []storeKey
	add := func(ref v1.SecretStoreRef) {
		if key := keyOfRef(ref, es.Namespace); ref.Name != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for _, d := range es.Spec.Data {
		if d.SourceRef == nil || d.SourceRef.GeneratorRef == nil {
			add(storeRef(es, d.SourceRef))
		}
	}
	for _, d := range es.Spec.DataFrom {
		if d.SourceRef == nil || d.SourceRef.GeneratorRef == nil {
			add(storeRef(es, d.SourceRef))
		}
	}
	return keys
}

// storeRef returns the store of one entry.
func storeRef(es *v1.ExternalSecret, source *v1.SourceRef) v1.SecretStoreRef {
	if source != nil && source.SecretStoreRef != nil {
		return *source.SecretStoreRef
	}
	return es.Spec.SecretStoreRef
}

// readinessChanged lets a store pass when what it says of its readiness
// changed: those that wait for it say so, too.
func readinessChanged() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool { return readyCondition(e.ObjectOld) != readyCondition(e.ObjectNew) },
	}
}

// readyCondition returns what a store says of its readiness, without times.
func readyCondition(obj client.Object) v1.Condition {
	c := v1.GetCondition(obj.(v1.Store).StoreStatus().Conditions, v1.ConditionReady)
	if c == nil {
		return v1.Condition{}
	}
	return v1.Condition{Status: c.Status, Message: c.Message}
}

// waitingFor returns the ExternalSecrets that read a store and are not in
// sync, or wait for it although the cache does not know yet.
func (r *reconciler) waitingFor(ctx context.Context, obj client.Object) []reconcile.Request {
	key := keyOf(obj.(v1.Store))
	return r.list(ctx, func(es *v1.ExternalSecret) bool {
		return notInSync(es) || r.memory.about(client.ObjectKeyFromObject(es)).waiting
	}, client.MatchingFields{byStore: key.String()})
}

// poked returns the ExternalSecrets that are not in sync, or that were read
// before Refresh was called.
func (r *reconciler) poked(ctx context.Context, _ client.Object) []reconcile.Request {
	refreshed := r.o.Trigger.refreshed()
	return r.list(ctx, func(es *v1.ExternalSecret) bool {
		return notInSync(es) || es.Status.RefreshTime.Time.Before(refreshed)
	})
}

// templatedBy returns the ExternalSecrets whose templates a ConfigMap holds
// and that are not in sync; others take a change over at their next refresh.
func (r *reconciler) templatedBy(ctx context.Context, obj client.Object) []reconcile.Request {
	kind := "ConfigMap"
	if _, ok := obj.(*corev1.Secret); ok {
		kind = "Secret"
	}
	return r.list(ctx, notInSync, client.InNamespace(obj.GetNamespace()), client.MatchingFields{byTemplate: kind + "/" + obj.GetName()})
}

// concernedBySecret returns the ExternalSecrets that make a Secret, take their
// templates from it, or may read it as a store.
func (r *reconciler) concernedBySecret(ctx context.Context, obj client.Object) []reconcile.Request {
	all := r.list(ctx, anyOf, client.InNamespace(obj.GetNamespace()), client.MatchingFields{byTarget: obj.GetName()})
	all = append(all, r.templatedBy(ctx, obj)...)
	for _, store := range r.providers.inCluster(ctx, obj.GetNamespace()) {
		all = append(all, r.list(ctx, notInSync, client.MatchingFields{byStore: store.String()})...)
	}
	return all
}

func notInSync(es *v1.ExternalSecret) bool { return !v1.IsReady(es.Status.Conditions) }

func anyOf(*v1.ExternalSecret) bool { return true }

// list returns the ExternalSecrets that a choice keeps. The cache fails only
// when it is stopped.
func (r *reconciler) list(ctx context.Context, keep func(*v1.ExternalSecret) bool, opts ...client.ListOption) []reconcile.Request {
	var found v1.ExternalSecretList
	if err := r.client.List(ctx, &found, append(opts, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil
	}
	var requests []reconcile.Request
	for i := range found.Items {
		if keep(&found.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&found.Items[i])})
		}
	}
	return requests
}
