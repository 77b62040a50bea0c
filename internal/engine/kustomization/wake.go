package kustomization

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/objects"
)

// waker knows which Kustomizations wait for what, and queues them when it
// changes.
type waker struct {
	mu           sync.Mutex
	queue        workqueue.TypedRateLimitingInterface[reconcile.Request]
	objects      interest[objects.Key]
	dependencies interest[types.NamespacedName]
	groups       interest[string] // of the API
}

func newWaker() *waker {
	return &waker{
		objects:      newInterest[objects.Key](),
		dependencies: newInterest[types.NamespacedName](),
		groups:       newInterest[string](),
	}
}

// start is given the queue when the controller starts.
func (w *waker) start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = queue
	return nil
}

// watch lets a Kustomization wait for changes of objects, and of nothing else.
func (w *waker) watch(name types.NamespacedName, keys []objects.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.objects.set(name, keys)
}

func (w *waker) unwatch(name types.NamespacedName) { w.watch(name, nil) }

// dependOn lets a Kustomization wait for changes of others.
func (w *waker) dependOn(name types.NamespacedName, dependencies []types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dependencies.set(name, dependencies)
}

// awaitGroups lets a Kustomization wait for definitions of API groups.
func (w *waker) awaitGroups(name types.NamespacedName, groups []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.groups.set(name, groups)
}

func (w *waker) forget(name types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.objects.set(name, nil)
	w.dependencies.set(name, nil)
	w.groups.set(name, nil)
}

// objectChanged is told of every change of every object that is followed.
func (w *waker) objectChanged(change objects.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(w.objects.in[change.Key])
}

func (w *waker) kustomizationChanged(name types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(w.dependencies.in[name])
}

func (w *waker) definitionChanged(group string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(w.groups.in[group])
}

// request queues a Kustomization.
func (w *waker) request(name types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(map[types.NamespacedName]bool{name: true})
}

func (w *waker) add(names map[types.NamespacedName]bool) {
	if w.queue == nil {
		return
	}
	for name := range names {
		w.queue.Add(reconcile.Request{NamespacedName: name})
	}
}
