package storage

import (
	"context"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/objects"
)

// fills knows which claims wait for what they are to be filled from, and is a
// source of the claims' controller. Its methods may be called concurrently.
type fills struct {
	mu     sync.Mutex
	claims map[types.NamespacedName]map[contents]bool
	queue  workqueue.TypedRateLimitingInterface[reconcile.Request]
}

func newFills() *fills { return &fills{claims: map[types.NamespacedName]map[contents]bool{}} }

// Start implements source.Source.
func (f *fills) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue = queue
	return nil
}

// wait has a claim looked at again when something changes that it is filled from.
func (f *fills) wait(claim types.NamespacedName, from contents) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.claims[claim] == nil {
		f.claims[claim] = map[contents]bool{}
	}
	f.claims[claim][from] = true
}

// forget lets a claim wait for nothing any more.
func (f *fills) forget(claim types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.claims, claim)
}

// changed hears of every change of every followed kind.
func (f *fills) changed(change objects.Change) {
	from := contents{change.Key.GroupKind(), change.Key.NamespacedName}
	f.mu.Lock()
	defer f.mu.Unlock()
	for claim, all := range f.claims {
		if all[from] && f.queue != nil {
			f.queue.Add(reconcile.Request{NamespacedName: claim})
		}
	}
}

// kind returns the claims that wait for something of a kind that may be served now.
func (f *fills) kind(_ context.Context, obj client.Object) []reconcile.Request {
	crd, ok := obj.(*apiextensionsv1.CustomResourceDefinition)
	if !ok {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var requests []reconcile.Request
	for claim, all := range f.claims {
		for from := range all {
			if from.Group == crd.Spec.Group && from.Kind == crd.Spec.Names.Kind {
				requests = append(requests, reconcile.Request{NamespacedName: claim})
				break
			}
		}
	}
	return requests
}
