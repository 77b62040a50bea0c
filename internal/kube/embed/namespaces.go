package embed

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/kubernetes/pkg/controller/namespace/deletion"
)

// A namespace that still has content is looked at again after the shortest
// wait, and then after ever longer ones up to the longest.
const (
	namespaceShortestWait = 50 * time.Millisecond
	namespaceLongestWait  = 10 * time.Second
)

// namespaces empties namespaces that are being deleted, and lets them go. The
// stock controller waits five seconds before each try, for the sake of API
// servers that have not heard of the deletion yet; here there is only one.
type namespaces struct {
	queue   workqueue.TypedRateLimitingInterface[string]
	deleter deletion.NamespacedResourcesDeleterInterface
	synced  cache.InformerSynced
}

func (c *controllers) addNamespaces(ctx context.Context) error {
	n := &namespaces{
		queue: workqueue.NewTypedRateLimitingQueueWithConfig(
			workqueue.NewTypedItemExponentialFailureRateLimiter[string](namespaceShortestWait, namespaceLongestWait),
			workqueue.TypedRateLimitingQueueConfig[string]{Name: "namespace"},
		),
	}
	informer := c.informers.Core().V1().Namespaces().Informer()
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    n.enqueue,
		UpdateFunc: func(_, obj any) { n.enqueue(obj) },
	})
	if err != nil {
		return err
	}
	n.synced = registration.HasSynced
	// The rest of a namespace waits for its pods to have ended.
	lister := c.informers.Core().V1().Namespaces().Lister()
	_, err = c.informers.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		DeleteFunc: func(obj any) {
			if key, err := cache.DeletionHandlingObjectToName(obj); err == nil {
				if ns, err := lister.Get(key.Namespace); err == nil {
					n.enqueue(ns)
				}
			}
		},
	})
	if err != nil {
		return err
	}
	c.add(func(ctx context.Context) {
		// Made here, since making it asks the server for its resources.
		n.deleter = deletion.NewNamespacedResourcesDeleter(ctx, c.client.CoreV1().Namespaces(), c.metadata, c.client.CoreV1(),
			c.client.Discovery().ServerPreferredNamespacedResources, corev1.FinalizerKubernetes)
		n.run(ctx)
	})
	return nil
}

func (n *namespaces) enqueue(obj any) {
	if ns, ok := obj.(*corev1.Namespace); ok && ns.DeletionTimestamp != nil {
		n.queue.Add(ns.Name)
	}
}

func (n *namespaces) run(ctx context.Context) {
	var running sync.WaitGroup
	if cache.WaitForCacheSync(ctx.Done(), n.synced) {
		for range workers {
			running.Go(func() {
				for n.next(ctx) {
				}
			})
		}
	}
	<-ctx.Done()
	n.queue.ShutDown()
	running.Wait()
}

// next works on one namespace. What could not be deleted yet, and what failed,
// is tried again later.
func (n *namespaces) next(ctx context.Context) bool {
	name, shutdown := n.queue.Get()
	if shutdown {
		return false
	}
	defer n.queue.Done(name)
	if err := n.deleter.Delete(ctx, name); err != nil {
		n.queue.AddRateLimited(name)
		return true
	}
	n.queue.Forget(name)
	return true
}
