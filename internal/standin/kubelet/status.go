package kubelet

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// report writes what a kubelet would say of the pod now, unless that is what
// was said last. gone says that there is no such pod any more.
func (k *kubelet) report(ctx context.Context, pod *corev1.Pod, p *play) (gone bool, err error) {
	status := k.status(pod, p, time.Now())
	if p.reported != nil && equality.Semantic.DeepEqual(p.reported, status) {
		return false, nil
	}
	patch, err := statusPatch(pod.UID, status)
	if err != nil {
		return false, err
	}
	err = k.client.Status().Patch(ctx, pod.DeepCopy(), client.RawPatch(types.StrategicMergePatchType, patch))
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return true, nil // gone, or another pod of the same name
	}
	if err != nil {
		return false, fmt.Errorf("write the status of pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	p.reported = status
	return false, nil
}

// statusPatch returns a patch that says all of a status. Lists replace what was
// there, but for the conditions, which are merged one by one: there, what is
// empty has to be said too.
func statusPatch(uid types.UID, status *corev1.PodStatus) ([]byte, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(status)
	if err != nil {
		return nil, err
	}
	conditions, _ := content["conditions"].([]any)
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok {
			for _, field := range []string{"reason", "message"} {
				if _, set := c[field]; !set {
					c[field] = nil
				}
			}
		}
	}
	return json.Marshal(map[string]any{"metadata": map[string]any{"uid": uid}, "status": content})
}

// status composes the part of a pod's status that a kubelet writes.
func (k *kubelet) status(pod *corev1.Pod, p *play, now time.Time) *corev1.PodStatus {
	host := k.nodes.hostIP(pod.Spec.NodeName)
	s := &corev1.PodStatus{
		ObservedGeneration: pod.Generation,
		Phase:              p.phase(pod.Spec.RestartPolicy),
		StartTime:          &p.started,
		HostIP:             host,
		HostIPs:            []corev1.HostIP{{IP: host}},
	}
	if p.ip != "" {
		s.PodIP, s.PodIPs = p.ip, []corev1.PodIP{{IP: p.ip}}
	}
	usual := reasonCreating
	if len(p.inits) > 0 {
		usual = reasonInitializing
	}
	for _, c := range p.inits {
		s.InitContainerStatuses = append(s.InitContainerStatuses, c.status(pod.UID, usual, c.sidecar() || c.phase == terminated))
	}
	for _, c := range p.mains {
		s.ContainerStatuses = append(s.ContainerStatuses, c.status(pod.UID, usual, p.ready))
	}
	p.conditions = k.conditions(pod, p, metav1Time(now))
	s.Conditions = p.conditions
	return s
}

// status composes a container's status.
func (c *container) status(pod types.UID, usual string, ready bool) corev1.ContainerStatus {
	s := corev1.ContainerStatus{
		Name: c.spec.Name, Image: c.spec.Image, RestartCount: c.restarts,
		Started: new(bool),
	}
	if c.last != nil {
		s.LastTerminationState.Terminated = c.last
	}
	if c.phase == running || c.phase == terminated {
		s.ImageID, s.ContainerID = c.spec.Image, c.id(pod)
	}
	switch c.phase {
	case running:
		*s.Started, s.Ready = true, ready
		s.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1Time(c.since)}
	case terminated:
		end := *c.end
		end.ContainerID = s.ContainerID
		s.State.Terminated = &end
		s.Ready = ready && c.initial && end.ExitCode == 0
	default:
		reason := c.reason
		if reason == "" {
			reason = usual
		}
		s.State.Waiting = &corev1.ContainerStateWaiting{Reason: reason, Message: c.message}
	}
	return s
}

func (c *container) id(pod types.UID) string {
	return fmt.Sprintf("hearth://%x", sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", pod, c.spec.Name, c.restarts)))
}

// phase returns the pod's phase by a kubelet's rules.
func (p *play) phase(policy corev1.RestartPolicy) corev1.PodPhase {
	for _, c := range p.inits {
		if !c.done() {
			return corev1.PodPending
		}
	}
	var runs, fails int
	for _, c := range p.mains {
		switch {
		case c.phase == running, c.phase != terminated && c.last != nil:
			runs++
		case c.phase != terminated:
			return corev1.PodPending
		case c.end.ExitCode != 0:
			fails++
		}
	}
	switch {
	case runs > 0, policy == corev1.RestartPolicyAlways:
		return corev1.PodRunning
	case fails == 0:
		return corev1.PodSucceeded
	case policy == corev1.RestartPolicyNever:
		return corev1.PodFailed
	}
	return corev1.PodRunning
}

// conditions returns the pod's conditions; times of those that have not
// changed are kept.
func (k *kubelet) conditions(pod *corev1.Pod, p *play, now metav1.Time) []corev1.PodCondition {
	succeeded := p.phase(pod.Spec.RestartPolicy) == corev1.PodSucceeded
	initialized := unfinished(p.inits)
	ready := corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}
	if !p.ready {
		ready.Status = corev1.ConditionFalse
		ready.Reason, ready.Message = "ContainersNotReady", "containers with unready status: ["+strings.Join(names(p.mains), " ")+"]"
		if succeeded {
			ready.Reason, ready.Message = "PodCompleted", ""
		}
	}
	podReady := ready
	podReady.Type = corev1.PodReady
	if gate := closedGate(pod); p.ready && gate != "" {
		podReady.Status, podReady.Reason = corev1.ConditionFalse, "ReadinessGatesNotMet"
		podReady.Message = fmt.Sprintf("the status of pod readiness gate %q is not \"True\", but False", gate)
	}
	init := corev1.PodCondition{Type: corev1.PodInitialized, Status: corev1.ConditionTrue}
	switch {
	case len(initialized) > 0:
		init.Status, init.Reason = corev1.ConditionFalse, "ContainersNotInitialized"
		init.Message = "containers with incomplete status: [" + strings.Join(initialized, " ") + "]"
	case succeeded:
		init.Reason = "PodCompleted"
	}
	sandbox := corev1.PodCondition{Type: corev1.PodReadyToStartContainers, Status: corev1.ConditionFalse}
	if p.ip != "" && !succeeded {
		sandbox.Status = corev1.ConditionTrue
	}
	conditions := []corev1.PodCondition{sandbox, init, podReady, ready, {Type: corev1.PodScheduled, Status: corev1.ConditionTrue}}
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

func unfinished(inits []*container) []string {
	var list []string
	for _, c := range inits {
		if !c.done() {
			list = append(list, c.spec.Name)
		}
	}
	return list
}

func names(containers []*container) []string {
	var list []string
	for _, c := range containers {
		list = append(list, c.spec.Name)
	}
	return list
}

// closedGate returns the first readiness gate that is not open, or "".
func closedGate(pod *corev1.Pod) string {
	for _, gate := range pod.Spec.ReadinessGates {
		open := false
		for _, c := range pod.Status.Conditions {
			open = open || c.Type == gate.ConditionType && c.Status == corev1.ConditionTrue
		}
		if !open {
			return string(gate.ConditionType)
		}
	}
	return ""
}

func metav1Time(t time.Time) metav1.Time { return metav1.NewTime(t.Truncate(time.Second)) }
