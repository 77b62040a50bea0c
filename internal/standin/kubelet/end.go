package kubelet

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// end stops a pod's containers and confirms its deletion. Containers obey at
// once, but for what a preStop hook sleeps, within the grace period.
func (k *kubelet) end(ctx context.Context, pod *corev1.Pod, p *play) (reconcile.Result, error) {
	if p.ended {
		return reconcile.Result{}, nil
	}
	now := time.Now()
	if p.stopsAt.IsZero() {
		takes := stopTakes(pod, p)
		p.stopsAt = now.Add(k.Pace.Scale(takes))
		if takes > 0 {
			k.Simulated(podRef(pod), StepStop, takes)
		}
	}
	if left := p.stopsAt.Sub(now); left > 0 {
		p.endTimer = k.Gate.Timer()
		return reconcile.Result{RequeueAfter: left}, nil
	}
	k.stop(pod, p, 0, now)
	// Whoever holds the pod by a finalizer is told how it ended.
	if len(pod.Finalizers) > 0 {
		if gone, err := k.report(ctx, pod, p); gone || err != nil {
			return reconcile.Result{}, err
		}
	}
	err := k.client.Delete(ctx, pod, client.GracePeriodSeconds(0), client.Preconditions{UID: &pod.UID})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return reconcile.Result{}, fmt.Errorf("confirm that pod %s/%s has ended: %w", pod.Namespace, pod.Name, err)
	}
	p.ended = true
	k.release(pod, p)
	return reconcile.Result{}, nil
}

// stopTakes returns how long the longest preStop hook of a container that runs
// sleeps, within the grace period: all of them run at once. How long commands and requests take, nobody
// knows.
func stopTakes(pod *corev1.Pod, p *play) time.Duration {
	var longest int64
	for _, c := range slices.Concat(p.inits, p.mains) {
		hook := c.spec.Lifecycle
		if c.phase == running && hook != nil && hook.PreStop != nil && hook.PreStop.Sleep != nil {
			longest = max(longest, hook.PreStop.Sleep.Seconds)
		}
	}
	if grace := pod.DeletionGracePeriodSeconds; grace != nil {
		longest = min(longest, *grace)
	}
	return time.Duration(longest) * time.Second
}

// release gives back what a pod holds that has ended.
func (k *kubelet) release(pod *corev1.Pod, p *play) {
	if p.ip != "" && !pod.Spec.HostNetwork {
		k.nodes.freeAddress(p.node, p.ip)
	}
	p.ip = ""
	k.stock.Unserve(p.node, pod.UID)
	k.wakes.forget(client.ObjectKeyFromObject(pod))
}
