package kubelet

import (
	"context"
	"sync"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// reference names an object that a pod refers to.
type reference struct {
	kind string
	types.NamespacedName
}

// wakes knows which pods wait for which objects, so that a pod is looked at
// again the moment one of them changes. Its methods may be called concurrently.
type wakes struct {
	mu      sync.Mutex
	waiting map[reference]map[types.NamespacedName]bool
	pods    map[types.NamespacedName][]reference
}

func newWakes() *wakes {
	return &wakes{waiting: map[reference]map[types.NamespacedName]bool{}, pods: map[types.NamespacedName][]reference{}}
}

// wait makes a pod wait for an object. To miss nothing, a pod has to look for
// the object once more after it waits for it.
func (w *wakes) wait(pod types.NamespacedName, ref reference) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting[ref][pod] {
		return
	}
	if w.waiting[ref] == nil {
		w.waiting[ref] = map[types.NamespacedName]bool{}
	}
	w.waiting[ref][pod] = true
	w.pods[pod] = append(w.pods[pod], ref)
}

// forget makes a pod wait for nothing any more.
func (w *wakes) forget(pod types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ref := range w.pods[pod] {
		delete(w.waiting[ref], pod)
		if len(w.waiting[ref]) == 0 {
			delete(w.waiting, ref)
		}
	}
	delete(w.pods, pod)
}

// endpoints is the kind of what stands behind a Service, by the Service's name.
const endpoints = "Endpoints"

// behind returns which pods to look at when a Service's endpoints change.
func (w *wakes) behind(_ context.Context, obj client.Object) []reconcile.Request {
	name := obj.GetLabels()[discoveryv1.LabelServiceName]
	return w.requests(reference{endpoints, types.NamespacedName{Namespace: obj.GetNamespace(), Name: name}})
}

// of returns which pods to look at when an object of a kind changes.
func (w *wakes) of(kind string) func(context.Context, client.Object) []reconcile.Request {
	return func(_ context.Context, obj client.Object) []reconcile.Request {
		return w.requests(reference{kind, client.ObjectKeyFromObject(obj)})
	}
}

func (w *wakes) requests(ref reference) []reconcile.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	var requests []reconcile.Request
	for pod := range w.waiting[ref] {
		requests = append(requests, reconcile.Request{NamespacedName: pod})
	}
	return requests
}
