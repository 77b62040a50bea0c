package kubelet

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// conditions returns the pod's conditions in a phase; times of those that have
// not changed are kept.
func (k *kubelet) conditions(pod *corev1.Pod, p *play, phase corev1.PodPhase, now metav1.Time) []corev1.PodCondition {
	over := phase == corev1.PodSucceeded || phase == corev1.PodFailed
	sandbox := corev1.PodCondition{Type: corev1.PodReadyToStartContainers, Status: corev1.ConditionFalse}
	if p.ip != "" && !over {
		sandbox.Status = corev1.ConditionTrue
	}
	ready := p.containersReady(phase)
	podReady := ready
	podReady.Type = corev1.PodReady
	if gate := closedGate(pod); ready.Status == corev1.ConditionTrue && gate != "" {
		podReady.Status, podReady.Reason, podReady.Message = corev1.ConditionFalse, "ReadinessGatesNotReady", gate
	}
	conditions := []corev1.PodCondition{sandbox, p.initialized(phase), podReady, ready, {Type: corev1.PodScheduled, Status: corev1.ConditionTrue}}
	if p.failure != nil && p.failure.disrupted {
		conditions = append(conditions, corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue,
			Reason: corev1.PodReasonTerminationByKubelet, Message: p.failure.message,
		})
	}
	for i := range conditions {
		c := &conditions[i]
		c.ObservedGeneration, c.LastTransitionTime = pod.Generation, now
		for _, old := range slices.Concat(p.conditions, pod.Status.Conditions) {
			if old.Type == c.Type {
				if old.Status == c.Status {
					c.LastTransitionTime = old.LastTransitionTime
				}
				break
			}
		}
	}
	return conditions
}

// Why nothing of a pod that is over is ready.
const (
	reasonPodCompleted = "PodCompleted"
	reasonPodFailed    = "PodFailed"
)

func (p *play) containersReady(phase corev1.PodPhase) corev1.PodCondition {
	c := corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionFalse}
	unready := p.unready()
	switch {
	case phase == corev1.PodSucceeded:
		c.Reason = reasonPodCompleted
	case phase == corev1.PodFailed:
		c.Reason = reasonPodFailed
	case len(unready) == 0:
		c.Status = corev1.ConditionTrue
	default:
		c.Reason, c.Message = "ContainersNotReady", fmt.Sprintf("containers with unready status: [%s]", strings.Join(unready, " "))
	}
	return c
}

func (p *play) initialized(phase corev1.PodPhase) corev1.PodCondition {
	c := corev1.PodCondition{Type: corev1.PodInitialized, Status: corev1.ConditionTrue}
	switch list := unfinished(p.inits); {
	case len(list) > 0:
		c.Status, c.Reason = corev1.ConditionFalse, "ContainersNotInitialized"
		c.Message = fmt.Sprintf("containers with incomplete status: [%s]", strings.Join(list, " "))
	case phase == corev1.PodSucceeded:
		c.Reason = reasonPodCompleted
	}
	return c
}

func unfinished(inits []*container) []string {
	var list []string
	for _, c := range inits {
		if !c.done() {
			list = append(list, c.spec.Name)
		}
	}
	return list
}

// closedGate says in a kubelet's words which readiness gates are not open; ""
// is none.
func closedGate(pod *corev1.Pod) string {
	var closed []string
	for _, gate := range pod.Spec.ReadinessGates {
		i := slices.IndexFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == gate.ConditionType })
		switch {
		case i < 0:
			closed = append(closed, fmt.Sprintf("corresponding condition of pod readiness gate %q does not exist.", gate.ConditionType))
		case pod.Status.Conditions[i].Status != corev1.ConditionTrue:
			closed = append(closed, fmt.Sprintf("the status of pod readiness gate %q is not \"True\", but %v", gate.ConditionType, pod.Status.Conditions[i].Status))
		}
	}
	return strings.Join(closed, ", ")
}
