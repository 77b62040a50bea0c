package kubelet

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
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
		Phase:              p.phase(pod),
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
		s.InitContainerStatuses = append(s.InitContainerStatuses, c.status(pod.UID, usual))
	}
	for _, c := range p.mains {
		s.ContainerStatuses = append(s.ContainerStatuses, c.status(pod.UID, usual))
	}
	if p.failure != nil {
		s.Phase, s.Reason, s.Message = corev1.PodFailed, p.failure.reason, p.failure.message
	}
	p.conditions = k.conditions(pod, p, s.Phase, metav1Time(now))
	s.Conditions = p.conditions
	return s
}

// status composes a container's status.
func (c *container) status(pod types.UID, usual string) corev1.ContainerStatus {
	s := corev1.ContainerStatus{
		Name: c.spec.Name, Image: c.spec.Image, RestartCount: c.restarts,
		Started: new(bool),
	}
	if c.last != nil {
		s.LastTerminationState.Terminated = c.last
	}
	if c.phase == running || c.phase == terminated || c.last != nil {
		s.ImageID, s.ContainerID = c.imageID(), c.id(pod)
	}
	switch c.phase {
	case running:
		*s.Started, s.Ready = c.started, c.ready
		s.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1Time(c.since)}
	case terminated:
		end := *c.end
		end.ContainerID = s.ContainerID
		s.State.Terminated = &end
		s.Ready = c.initial && !c.sidecar() && end.ExitCode == 0
	default:
		reason := c.reason
		if reason == "" {
			reason = usual
		}
		s.State.Waiting = &corev1.ContainerStateWaiting{Reason: reason, Message: c.message}
	}
	return s
}

// imageID names the image that a container runs. What no digest pins and has
// changed has one that was made up.
func (c *container) imageID() string {
	if !c.changed {
		return c.spec.Image
	}
	return fmt.Sprintf("%s@sha256:%x", c.spec.Image, sha256.Sum256([]byte(c.spec.Image)))
}

func (c *container) id(pod types.UID) string {
	return fmt.Sprintf("hearth://%x", sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", pod, c.spec.Name, c.restarts)))
}

func metav1Time(t time.Time) metav1.Time { return metav1.NewTime(t.Truncate(time.Second)) }
