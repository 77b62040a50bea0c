package kubelet

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
)

// down reports whether a node does not answer.
func (k *kubelet) down(node string) bool { return k.Faults.On(domain.FaultNodeDown, node) }

// pressed reports whether a node runs out of disk space.
func (k *kubelet) pressed(node string) bool { return k.Faults.On(domain.FaultNodePressure, node) }

// followFaults looks at every pod again when a fault begins or is lifted.
func (k *kubelet) followFaults(ctx context.Context) error {
	k.Faults.Follow(ctx, func(context.Context) { k.queue.add(k.plays.pods()...) })
	return nil
}

// workloadNames returns what a fault may call a pod's workload.
func workloadNames(pod *corev1.Pod) []string {
	return []string{stableName(pod), pod.Namespace + "/" + pod.Name}
}

// operatorNames returns what a fault may call an operator that a pod runs.
func operatorNames(pod *corev1.Pod) []string {
	names := workloadNames(pod)
	for _, key := range []string{"app.kubernetes.io/name", "app.kubernetes.io/instance"} {
		if name := pod.Labels[key]; name != "" {
			names = append(names, name)
		}
	}
	return names
}

// queue lets pods be looked at for reasons that no watch tells. It is a source
// of the pods' controller. Its methods may be called concurrently.
type queue struct {
	mu    sync.Mutex
	inner workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// Start implements source.Source.
func (q *queue) Start(_ context.Context, inner workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.inner = inner
	return nil
}

func (q *queue) add(pods ...types.NamespacedName) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.inner == nil {
		return
	}
	for _, pod := range pods {
		q.inner.Add(reconcile.Request{NamespacedName: pod})
	}
}
