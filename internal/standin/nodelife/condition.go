package nodelife

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
)

// judge says of a node that does not answer that nobody knows how it is.
func (w *watch) judge(ctx context.Context, node *corev1.Node) error {
	if !w.Faults.On(domain.FaultNodeDown, node.Name) {
		return nil
	}
	before := node.DeepCopy()
	wasReady := condition(node, corev1.NodeReady).Status == corev1.ConditionTrue
	doubt(node, metav1.Now())
	if equality.Semantic.DeepEqual(before.Status, node.Status) {
		return w.markPods(ctx, node)
	}
	if err := w.client.Status().Patch(ctx, node, client.StrategicMergeFrom(before)); err != nil {
		return fmt.Errorf("say that node %s does not answer: %w", node.Name, client.IgnoreNotFound(err))
	}
	if wasReady {
		w.recorder.Eventf(node, corev1.EventTypeNormal, "NodeNotReady", "Node %s status is now: NodeNotReady", node.Name)
	}
	return w.markPods(ctx, node)
}

// doubt turns all of a node's conditions that a kubelet writes to Unknown.
func doubt(node *corev1.Node, now metav1.Time) {
	for i := range node.Status.Conditions {
		c := &node.Status.Conditions[i]
		if c.Status == corev1.ConditionUnknown {
			continue
		}
		switch c.Type {
		case corev1.NodeReady, corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure:
			c.Status, c.LastTransitionTime = corev1.ConditionUnknown, now
			c.Reason, c.Message = "NodeStatusUnknown", "Kubelet stopped posting node status."
		}
	}
}

func condition(node *corev1.Node, kind corev1.NodeConditionType) corev1.NodeCondition {
	for _, c := range node.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return corev1.NodeCondition{}
}

// markPods takes the pods of a node that does not answer out of service.
func (w *watch) markPods(ctx context.Context, node *corev1.Node) error {
	pods, err := w.podsOf(ctx, node.Name)
	if err != nil {
		return err
	}
	for _, pod := range pods {
		before := pod.DeepCopy()
		changed := false
		for i := range pod.Status.Conditions {
			c := &pod.Status.Conditions[i]
			if c.Type == corev1.PodReady && c.Status != corev1.ConditionFalse {
				c.Status, c.LastTransitionTime, changed = corev1.ConditionFalse, metav1.Now(), true
			}
		}
		if !changed {
			continue
		}
		if err := w.client.Status().Patch(ctx, pod, client.StrategicMergeFrom(before)); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("take pod %s/%s out of service: %w", pod.Namespace, pod.Name, err)
		}
		w.recorder.Event(pod, corev1.EventTypeWarning, "NodeNotReady", "Node is not ready")
	}
	return nil
}

// podsOf returns copies of the pods on a node.
func (w *watch) podsOf(ctx context.Context, node string) ([]*corev1.Pod, error) {
	list := &corev1.PodList{}
	if err := w.client.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the pods of node %s: %w", node, err)
	}
	var pods []*corev1.Pod
	for i := range list.Items {
		if list.Items[i].Spec.NodeName == node {
			pods = append(pods, list.Items[i].DeepCopy())
		}
	}
	return pods, nil
}
