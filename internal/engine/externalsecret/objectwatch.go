package externalsecret

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// maxFollowed bounds the kinds whose objects are watched for changes by
// others; those of further kinds are put right at the next refresh.
const maxFollowed = 50

// byObject indexes ExternalSecrets by the object of another kind that they make.
const byObject = "hearth.object"

// objectWatches wake ExternalSecrets when their objects change.
type objectWatches struct {
	controller controller.Controller
	cache      cache.Cache
	client     client.Client

	mu       sync.Mutex
	followed map[schema.GroupVersionKind]bool
}

func newObjectWatches(mgr manager.Manager) *objectWatches {
	return &objectWatches{cache: mgr.GetCache(), client: mgr.GetClient(), followed: map[schema.GroupVersionKind]bool{}}
}

// follow watches the objects of a kind from now on.
func (w *objectWatches) follow(obj *unstructured.Unstructured) error {
	kind := obj.GroupVersionKind()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.followed[kind] || len(w.followed) >= maxFollowed {
		return nil
	}
	// Kinds that others watch typed are watched once.
	var watched client.Object = &unstructured.Unstructured{}
	watched.GetObjectKind().SetGroupVersionKind(kind)
	if typed, err := w.client.Scheme().New(kind); err == nil {
		if known, ok := typed.(client.Object); ok {
			watched = known
		}
	}
	err := w.controller.Watch(source.Kind(w.cache, watched, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, obj client.Object) []reconcile.Request {
		return w.makers(ctx, kind, obj)
	})))
	if err != nil {
		return fmt.Errorf("watch the objects of the kind %s: %w", kind.Kind, err)
	}
	w.followed[kind] = true
	return nil
}

// makers returns the ExternalSecrets that make an object.
func (w *objectWatches) makers(ctx context.Context, kind schema.GroupVersionKind, obj client.Object) []reconcile.Request {
	var found v1.ExternalSecretList
	at := objectIndex(kind, obj.GetName())
	if w.client.List(ctx, &found, client.InNamespace(obj.GetNamespace()), client.MatchingFields{byObject: at}, client.UnsafeDisableDeepCopy) != nil {
		return nil // the cache is stopping
	}
	var requests []reconcile.Request
	for i := range found.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&found.Items[i])})
	}
	return requests
}

func objectIndex(kind schema.GroupVersionKind, name string) string {
	return kind.Group + "/" + kind.Version + "/" + kind.Kind + "/" + name
}
