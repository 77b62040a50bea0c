package kubelet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// evictEvery is how long a kubelet that runs out of disk space waits before it
// evicts one more pod.
const evictEvery = 10 * time.Second

// systemCritical is the lowest priority of pods that are never evicted.
const systemCritical = 2_000_000_000

// The words of an eviction.
const (
	reasonEvicted  = "Evicted"
	messageLowDisk = "The node was low on resource: ephemeral-storage. "
	messagePressed = "The node had condition: [DiskPressure]. "
)

// evictions are the pods whose turn it is to go. Its methods may be called
// concurrently.
type evictions struct {
	mu   sync.Mutex
	pods map[types.UID]bool
}

func newEvictions() *evictions { return &evictions{pods: map[types.UID]bool{}} }

func (e *evictions) add(pod types.UID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pods[pod] = true
}

// take reports whether it is a pod's turn, and forgets it.
func (e *evictions) take(pod types.UID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	due := e.pods[pod]
	delete(e.pods, pod)
	return due
}

// rejects reports whether the node takes no pod on for lack of disk space.
func (k *kubelet) rejects(pod *corev1.Pod) bool {
	return k.pressed(pod.Spec.NodeName) && !critical(pod)
}

func (k *kubelet) reject(pod *corev1.Pod, p *play) {
	p.failure = &failure{reason: reasonEvicted, message: "Pod was rejected: " + messagePressed}
	k.events.pod(pod, "", corev1.EventTypeWarning, reasonEvicted, "%s", messagePressed)
}

// gaveUp reports whether the kubelet has given a pod up, and does so where it
// is the pod's turn to be evicted, or its deadline has passed.
func (k *kubelet) gaveUp(pod *corev1.Pod, p *play, now time.Time) bool {
	switch {
	case p.failure != nil:
		return true
	case k.evicts.take(pod.UID) && k.rejects(pod):
		p.failure = &failure{reasonEvicted, messageLowDisk, true}
		k.events.pod(pod, "", corev1.EventTypeWarning, reasonEvicted, "%s", messageLowDisk)
	case deadlinePassed(pod, p, now):
		p.failure = &failure{reasonDeadline, messageDeadline, false}
		k.events.pod(pod, "", corev1.EventTypeNormal, reasonDeadline, "%s", messageDeadline)
	default:
		return false
	}
	k.stop(pod, p, exitKilled, now)
	return true
}

// stop ends all containers that run.
func (k *kubelet) stop(pod *corev1.Pod, p *play, code int32, now time.Time) {
	for _, c := range slices.Concat(p.inits, p.mains) {
		if c.phase == running {
			k.event(pod, c, corev1.EventTypeNormal, "Killing", "Stopping container %s", c.spec.Name)
			c.finish(code, "", now)
		}
	}
}

// relieve evicts pods, one after the other, from nodes that run out of disk
// space, until ctx is cancelled.
func (k *kubelet) relieve(ctx context.Context) error {
	changes, end := k.Faults.Changes()
	defer end()
	timer := time.NewTimer(0)
	defer timer.Stop()
	busy := func() {}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
		case <-timer.C:
		}
		busy()
		more, err := k.relieveOnce(ctx)
		if err != nil && ctx.Err() == nil {
			k.log.Error(err, "cannot evict pods")
		}
		if more {
			busy = k.Gate.Timer()
			timer.Reset(max(k.Pace.Scale(evictEvery), evictPause))
		}
	}
}

// evictPause keeps evictions apart at any pace: the API server has to see one
// before the next.
const evictPause = 20 * time.Millisecond

// relieveOnce evicts one pod of every node under pressure; more says that
// there are others.
func (k *kubelet) relieveOnce(ctx context.Context) (more bool, err error) {
	for _, node := range k.nodes.objects() {
		if !k.pressed(node.Name) || k.down(node.Name) {
			continue
		}
		pods, err := k.podsOf(ctx, node.Name)
		if err != nil {
			return false, err
		}
		pods = slices.DeleteFunc(pods, func(p *corev1.Pod) bool { return critical(p) || over(p) || p.DeletionTimestamp != nil })
		if len(pods) == 0 {
			continue
		}
		slices.SortStableFunc(pods, evictedBefore)
		k.evicts.add(pods[0].UID)
		k.queue.add(client.ObjectKeyFromObject(pods[0]))
		more = true
	}
	return more, nil
}

// podsOf returns the pods on a node. They are the cache's own: read only.
func (k *kubelet) podsOf(ctx context.Context, node string) ([]*corev1.Pod, error) {
	list := &corev1.PodList{}
	if err := k.client.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the pods of node %s: %w", node, err)
	}
	var pods []*corev1.Pod
	for i := range list.Items {
		if list.Items[i].Spec.NodeName == node {
			pods = append(pods, &list.Items[i])
		}
	}
	return pods, nil
}

// evictedBefore orders pods as a kubelet does that is short of disk space:
// those that ask for none of it first, then by priority; usage, which nobody
// knows here, gives way to the name.
func evictedBefore(a, b *corev1.Pod) int {
	return cmp.Or(
		cmp.Compare(asksForDisk(a), asksForDisk(b)),
		cmp.Compare(priority(a), priority(b)),
		cmp.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name),
	)
}

func asksForDisk(pod *corev1.Pod) int {
	for _, c := range pod.Spec.Containers {
		if _, ok := c.Resources.Requests[corev1.ResourceEphemeralStorage]; ok {
			return 1
		}
	}
	return 0
}

func priority(pod *corev1.Pod) int32 {
	if pod.Spec.Priority == nil {
		return 0
	}
	return *pod.Spec.Priority
}

func critical(pod *corev1.Pod) bool { return priority(pod) >= systemCritical }

func over(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}
