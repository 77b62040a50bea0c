package observe

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
)

// The reasons that a kubelet gives for a waiting container.
const (
	waitCreating       = "ContainerCreating"
	waitInitializing   = "PodInitializing"
	waitConfigError    = "CreateContainerConfigError"
	waitCrashLoop      = "CrashLoopBackOff"
	waitPullError      = "ErrImagePull"
	waitPullBackOff    = "ImagePullBackOff"
	waitInvalidImage   = "InvalidImageName"
	waitNeverPull      = "ErrImageNeverPull"
	waitInspectError   = "ImageInspectError"
	waitRegistryFailed = "RegistryUnavailable"
)

// creating reports whether a reason says nothing but that the container has
// not been made yet.
func creating(reason string) bool {
	return reason == "" || reason == waitCreating || reason == waitInitializing
}

// containerState derives the state that a single container puts its pod into.
func containerState(p *corev1.Pod, c corev1.ContainerStatus, e PodEvidence) Standing {
	switch {
	case c.State.Running != nil:
		return runningContainer(p, c)
	case c.State.Terminated != nil:
		return terminatedContainer(p, c)
	case c.State.Waiting != nil && !creating(c.State.Waiting.Reason):
		return waitingContainer(c, e)
	}
	return creatingContainer(p, e)
}

// runningContainer tells a container that is coming up from one that has.
func runningContainer(p *corev1.Pod, c corev1.ContainerStatus) Standing {
	s := Standing{State: domain.PodRunning, Since: since(c.State.Running.StartedAt)}
	switch {
	case c.Started != nil && !*c.Started:
		s.State = domain.PodStarting
		s.Message = fmt.Sprintf("the startup probe of container %s has not passed", c.Name)
	case !c.Ready && !wasReady(p, c):
		s.State = domain.PodStarting
		s.Message = fmt.Sprintf("container %s is not ready yet", c.Name)
	}
	return s
}

// wasReady reports whether a container that is not ready has been so since it
// started: its pod's readiness has then changed after the start.
func wasReady(p *corev1.Pod, c corev1.ContainerStatus) bool {
	ready := podCondition(p, corev1.ContainersReady)
	return ready != nil && ready.LastTransitionTime.After(c.State.Running.StartedAt.Time)
}

func terminatedContainer(p *corev1.Pod, c corev1.ContainerStatus) Standing {
	t := c.State.Terminated
	if t.ExitCode == 0 && p.Spec.RestartPolicy != corev1.RestartPolicyAlways {
		return Standing{State: domain.PodRunning, Since: since(t.FinishedAt)}
	}
	s := Standing{State: domain.PodCrashLoop, Message: exited(c.Name, t), Since: since(t.FinishedAt)}
	if hasRun(t) {
		s.passed = []domain.State{domain.PodRunning}
	}
	return s
}

// creatingContainer tells what a container that is being made waits for: its
// node prepares volumes and network first, and pulls images then. A kubelet
// that does not tell the two apart is taken to pull.
func creatingContainer(p *corev1.Pod, e PodEvidence) Standing {
	sandbox := podCondition(p, corev1.PodReadyToStartContainers)
	if sandbox != nil && sandbox.Status == corev1.ConditionTrue {
		return Standing{State: domain.PodPullingImages, Since: sandbox.LastTransitionTime.Time}
	}
	if ref, missing := missingVolume(p, e.Find); missing {
		return Standing{State: domain.PodWaitingSecrets, Message: fmt.Sprintf("%s does not exist", ref), Since: scheduledAt(p)}
	}
	if sandbox == nil && len(p.Status.ContainerStatuses) > 0 {
		return Standing{State: domain.PodPullingImages, Since: scheduledAt(p)}
	}
	return Standing{State: domain.PodInit, Message: "its node prepares volumes and network", Since: scheduledAt(p)}
}

// waitingContainer reads the reason that the kubelet gives.
func waitingContainer(c corev1.ContainerStatus, e PodEvidence) Standing {
	w := c.State.Waiting
	s := Standing{Message: oneLine(fmt.Sprintf("container %s: %s", c.Name, cmp.Or(w.Message, w.Reason)))}
	switch w.Reason {
	case waitCrashLoop:
		s.State = domain.PodCrashLoop
		if t := c.LastTerminationState.Terminated; t != nil {
			s.Message = fmt.Sprintf("%s; restarted %d times", exited(c.Name, t), c.RestartCount)
			s.Since = since(t.FinishedAt)
			if hasRun(t) {
				s.passed = []domain.State{domain.PodRunning}
			}
		}
	case waitConfigError:
		s.State = domain.PodStarting
		if namesConfiguration(w.Message) {
			s.State = domain.PodWaitingSecrets
		}
	case waitPullError, waitInspectError, waitRegistryFailed:
		s.State = domain.PodPullingImages
		if e.FailedPulls >= domain.ImagePullTries {
			s = pullFailed(s)
		}
	case waitPullBackOff, waitInvalidImage, waitNeverPull:
		s = pullFailed(s)
	default:
		s.State = domain.PodStarting
	}
	return s
}

func pullFailed(s Standing) Standing {
	s.State, s.passed = domain.PodFailed, []domain.State{domain.PodPullingImages}
	return s
}

// namesConfiguration recognises how a kubelet words a Secret or ConfigMap, or a
// key of one, that is not there.
func namesConfiguration(message string) bool {
	m := strings.ToLower(message)
	return strings.Contains(m, "secret") || strings.Contains(m, "configmap")
}

// hasRun reports whether a terminated container was started at all.
func hasRun(t *corev1.ContainerStateTerminated) bool {
	return !t.StartedAt.IsZero() && t.StartedAt.Unix() != 0
}

// exited says how a container ended. The termination message is left out: an
// application may write anything there.
func exited(name string, t *corev1.ContainerStateTerminated) string {
	text := fmt.Sprintf("container %s exited with code %d", name, t.ExitCode)
	if t.Reason != "" && t.Reason != "Error" {
		text += " (" + t.Reason + ")"
	}
	return text
}

func scheduledAt(p *corev1.Pod) time.Time {
	if c := podCondition(p, corev1.PodScheduled); c != nil {
		return c.LastTransitionTime.Time
	}
	return since(p.CreationTimestamp)
}
