package kubelet

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// boundPods lets through what matters to a kubelet: pods bound to a node, when
// they appear, are bound, change, or are to go. Its own status writes do not,
// unless readiness gates make others write there too.
func boundPods() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return nodeOf(e.Object) != "" },
		UpdateFunc: func(e event.UpdateEvent) bool {
			pod, ok := e.ObjectNew.(*corev1.Pod)
			if !ok || pod.Spec.NodeName == "" {
				return false
			}
			return nodeOf(e.ObjectOld) == "" || e.ObjectOld.GetGeneration() != pod.Generation ||
				(e.ObjectOld.GetDeletionTimestamp() == nil) != (pod.DeletionTimestamp == nil) ||
				len(pod.Spec.ReadinessGates) > 0
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

func nodeOf(obj client.Object) string {
	if pod, ok := obj.(*corev1.Pod); ok {
		return pod.Spec.NodeName
	}
	return ""
}

// Reconcile walks one pod as far as it comes.
func (k *kubelet) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	pod := &corev1.Pod{}
	err := k.client.Get(ctx, req.NamespacedName, pod)
	if apierrors.IsNotFound(err) {
		k.forget(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	if !k.nodes.has(pod.Spec.NodeName) {
		return reconcile.Result{}, nil
	}
	p := k.plays.get(req.NamespacedName)
	if p == nil || p.uid != pod.UID {
		k.forget(req.NamespacedName)
		p = newPlay(pod)
		k.plays.set(req.NamespacedName, p)
	}
	p.endTimer()
	if k.down(pod.Spec.NodeName) {
		p.lost = true // nobody is there who could do or say anything
		return reconcile.Result{}, nil
	}
	if p.lost {
		p.lost, p.reported = false, nil
	}
	switch {
	case pod.DeletionTimestamp != nil:
		return k.end(ctx, pod, p)
	case pod.Status.Phase == corev1.PodSucceeded, pod.Status.Phase == corev1.PodFailed:
		k.release(pod, p)
		return reconcile.Result{}, nil
	}
	return k.walk(ctx, pod, p)
}

// walk goes from step to step until there is something to wait for, and shows
// each step to the world before it takes the next.
func (k *kubelet) walk(ctx context.Context, pod *corev1.Pod, p *play) (reconcile.Result, error) {
	for {
		next, err := k.step(ctx, pod, p, time.Now())
		if err != nil {
			return reconcile.Result{}, err
		}
		gone, err := k.report(ctx, pod, p)
		if gone || err != nil {
			return reconcile.Result{}, err
		}
		left := time.Until(next.until)
		switch {
		case next.kind == goOn, next.kind != blocked && left <= 0:
			if err := ctx.Err(); err != nil {
				return reconcile.Result{}, err
			}
		case next.kind == simulated:
			p.endTimer = k.Gate.Timer()
			return reconcile.Result{RequeueAfter: left}, nil
		case next.kind == backOff:
			return reconcile.Result{RequeueAfter: left}, nil
		default:
			return reconcile.Result{}, nil
		}
	}
}

// forget drops all about a pod that is gone.
func (k *kubelet) forget(key types.NamespacedName) {
	p := k.plays.get(key)
	if p == nil {
		return
	}
	p.endTimer()
	if p.ip != "" {
		k.nodes.freeAddress(p.node, p.ip)
	}
	k.stock.Unserve(p.node, p.uid)
	k.evicts.take(p.uid)
	k.wakes.forget(key)
	k.events.forget(p.uid)
	k.plays.set(key, nil)
}
