package nodelife

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// evict marks the pods for deletion that do not tolerate a node's taints, or
// no longer do. It returns after which time the next one's toleration ends; 0
// is never.
func (w *watch) evict(ctx context.Context, node *corev1.Node, now time.Time) (next time.Duration, err error) {
	list := slices.DeleteFunc(slices.Clone(node.Spec.Taints), func(t corev1.Taint) bool { return !evicting(t) })
	if len(list) == 0 {
		return 0, nil
	}
	pods, err := w.podsOf(ctx, node.Name)
	if err != nil {
		return 0, err
	}
	for _, pod := range pods {
		if pod.DeletionTimestamp != nil {
			continue
		}
		due, ever := w.due(pod, list, now)
		if !ever {
			continue
		}
		if left := due.Sub(now); left > 0 {
			if next == 0 || left < next {
				next = left
			}
			continue
		}
		if err := w.evictPod(ctx, pod); err != nil {
			return 0, err
		}
	}
	return next, nil
}

// due returns when a pod has to go; ever is false if it may stay.
func (w *watch) due(pod *corev1.Pod, taints []corev1.Taint, now time.Time) (at time.Time, ever bool) {
	for _, t := range taints {
		seconds, forever := tolerated(pod, t)
		if forever {
			continue
		}
		since := now
		if t.TimeAdded != nil {
			since = t.TimeAdded.Time
		}
		end := since.Add(w.Pace.Scale(time.Duration(seconds) * time.Second))
		if !ever || end.Before(at) {
			at, ever = end, true
		}
	}
	return at, ever
}

// tolerated returns for how many seconds a pod tolerates a taint: the shortest
// of the tolerations that match, or 0 without any.
func tolerated(pod *corev1.Pod, t corev1.Taint) (seconds int64, forever bool) {
	found := false
	for _, toleration := range pod.Spec.Tolerations {
		if !matches(toleration, t) {
			continue
		}
		if toleration.TolerationSeconds == nil {
			if !found {
				forever = true
			}
			continue
		}
		if s := max(*toleration.TolerationSeconds, 0); !found || s < seconds {
			seconds, found, forever = s, true, false
		}
	}
	return seconds, forever
}

func matches(t corev1.Toleration, taint corev1.Taint) bool {
	switch {
	case t.Effect != "" && t.Effect != taint.Effect, t.Key != "" && t.Key != taint.Key:
		return false
	case t.Operator == corev1.TolerationOpExists:
		return true
	}
	return t.Key != "" && t.Value == taint.Value
}

func (w *watch) evictPod(ctx context.Context, pod *corev1.Pod) error {
	before := pod.DeepCopy()
	pod.Status.Conditions = append(slices.Clone(pod.Status.Conditions), corev1.PodCondition{
		Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now(),
		Reason: "DeletionByTaintManager", Message: "Taint manager: deleting due to NoExecute taint",
	})
	w.recorder.Eventf(pod, corev1.EventTypeNormal, "TaintManagerEviction", "Marking for deletion Pod %s/%s", pod.Namespace, pod.Name)
	if err := w.client.Status().Patch(ctx, pod, client.StrategicMergeFrom(before)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("evict pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	if err := w.client.Delete(ctx, pod, client.Preconditions{UID: &before.UID}); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("evict pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return nil
}
