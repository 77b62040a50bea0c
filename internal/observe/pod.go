package observe

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
)

// PodEvidence is what a pod's state depends on beside the pod.
type PodEvidence struct {
	// Find says whether a Secret or ConfigMap exists. Nil means that none can
	// be looked up.
	Find func(domain.Ref) Presence
	// FailedPulls counts the failed pulls that were seen of the image that has
	// failed most often.
	FailedPulls int
}

// PodState derives the state of a pod.
//
// The containers decide, init containers first, and the one that is worst off
// speaks for the pod. While its node prepares volumes and network the pod is
// Init, or WaitingSecrets where a Secret or ConfigMap that it mounts is
// missing; then it is PullingImages. A pull in back-off is Failed, as the
// model has no back-off for pulls. Starting is a container that runs and whose
// probes have not passed since.
func PodState(p *corev1.Pod, e PodEvidence) Standing {
	switch {
	case p.DeletionTimestamp != nil:
		return deleting(domain.PodTerminating, p.DeletionTimestamp, "")
	case p.Status.Phase == corev1.PodSucceeded:
		return completedPod(p)
	case p.Status.Phase == corev1.PodFailed:
		return failedPod(p)
	case p.Spec.NodeName == "":
		return unscheduledPod(p)
	}
	if s, ok := initState(p, e); ok {
		return s
	}
	return mainState(p, e)
}

func unscheduledPod(p *corev1.Pod) Standing {
	s := Standing{State: domain.PodPending, Since: since(p.CreationTimestamp)}
	if c := podCondition(p, corev1.PodScheduled); c != nil {
		s.Message = oneLine(c.Message)
	}
	return s
}

func completedPod(p *corev1.Pod) Standing {
	return Standing{
		State: domain.PodRunning, Message: "completed", Since: lastChange(p),
		Ready: true, Completed: true, round: restarts(p),
	}
}

func failedPod(p *corev1.Pod) Standing {
	s := Standing{State: domain.PodFailed, Message: oneLine(cmp.Or(p.Status.Message, p.Status.Reason)), Since: lastChange(p)}
	for _, c := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		t := c.State.Terminated
		if t == nil || t.ExitCode == 0 {
			continue
		}
		if s.Message == "" {
			s.Message = exited(c.Name, t)
		}
		if hasRun(t) && !slices.ContainsFunc(p.Status.InitContainerStatuses, named(c.Name)) {
			s.passed = []domain.State{domain.PodRunning, domain.PodCrashLoop}
		}
	}
	return s
}

// initState returns the state of the first init container that holds the
// others up; ok is false once all are through.
func initState(p *corev1.Pod, e PodEvidence) (s Standing, ok bool) {
	for _, c := range p.Spec.InitContainers {
		status := statusOf(p.Status.InitContainerStatuses, c.Name)
		sidecar := c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		if initDone(status, sidecar) {
			continue
		}
		return initContainerState(p, status, e), true
	}
	return Standing{}, false
}

// initContainerState is what an unfinished init container puts its pod into.
// Its pulls, as long as they go well, and its run are part of Init.
func initContainerState(p *corev1.Pod, c corev1.ContainerStatus, e PodEvidence) Standing {
	s := containerState(p, c, e)
	s.Ready, s.passed = false, nil // a crash here does not prove that the pod ever ran
	quiet := c.State.Waiting == nil || creating(c.State.Waiting.Reason)
	switch {
	case c.State.Running != nil:
		s.State, s.Message = domain.PodInit, fmt.Sprintf("init container %s runs", c.Name)
	case s.State == domain.PodStarting:
		s.State = domain.PodInit
	case s.State == domain.PodPullingImages && quiet:
		s.State, s.Message = domain.PodInit, fmt.Sprintf("init container %s is being created", c.Name)
	}
	return s
}

func initDone(c corev1.ContainerStatus, sidecar bool) bool {
	if sidecar {
		return c.State.Running != nil && c.Started != nil && *c.Started
	}
	return c.State.Terminated != nil && c.State.Terminated.ExitCode == 0
}

// severity orders the states of containers: the pod takes the first that any has.
var severity = []domain.State{
	domain.PodFailed, domain.PodCrashLoop, domain.PodWaitingSecrets, domain.PodInit,
	domain.PodPullingImages, domain.PodStarting, domain.PodRunning,
}

// mainState returns the state of the container that is worst off.
func mainState(p *corev1.Pod, e PodEvidence) Standing {
	var worst Standing
	for i, c := range p.Spec.Containers {
		s := containerState(p, statusOf(p.Status.ContainerStatuses, c.Name), e)
		if i == 0 || slices.Index(severity, s.State) < slices.Index(severity, worst.State) {
			worst = s
		}
	}
	worst.Ready = worst.State == domain.PodRunning
	worst.round = restarts(p)
	if worst.Ready && worst.Message == "" {
		worst.Message = notReady(p)
	}
	return worst
}

// notReady says which containers of a running pod fail their readiness probe.
func notReady(p *corev1.Pod) string {
	for _, c := range p.Status.ContainerStatuses {
		if c.State.Running != nil && !c.Ready {
			return fmt.Sprintf("container %s runs and is not ready", c.Name)
		}
	}
	return ""
}

func podCondition(p *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == kind {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}

// lastChange returns when the last of the pod's conditions changed.
func lastChange(p *corev1.Pod) (at time.Time) {
	for _, c := range p.Status.Conditions {
		if c.LastTransitionTime.After(at) {
			at = c.LastTransitionTime.Time
		}
	}
	return at
}

func named(name string) func(corev1.ContainerStatus) bool {
	return func(c corev1.ContainerStatus) bool { return c.Name == name }
}

// statusOf returns a container's status, the zero one where the kubelet has
// not written it yet.
func statusOf(list []corev1.ContainerStatus, name string) corev1.ContainerStatus {
	if i := slices.IndexFunc(list, named(name)); i >= 0 {
		return list[i]
	}
	return corev1.ContainerStatus{Name: name}
}

// restarts changes with every restart of a container.
func restarts(p *corev1.Pod) string {
	var n int32
	for _, c := range p.Status.ContainerStatuses {
		n += c.RestartCount
	}
	return fmt.Sprint(n)
}
