package kubelet

import (
	"cmp"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
	"hearth/internal/standin/image"
)

// Why a container waits, in a kubelet's words.
const (
	reasonCreating     = "ContainerCreating"
	reasonInitializing = "PodInitializing"
	reasonConfigError  = "CreateContainerConfigError"
	reasonErrPull      = "ErrImagePull"
	reasonPullBackOff  = "ImagePullBackOff"
	reasonNeverPull    = "ErrImageNeverPull"
	reasonInvalidImage = "InvalidImageName"
	reasonCrashLoop    = "CrashLoopBackOff"
	reasonOutOfMemory  = "OOMKilled" // why it ended, not why it waits
)

// Exit codes.
const (
	exitError  = 1
	exitKilled = 137 // by SIGKILL
)

// quietRun is how long a container has to run for its crashes to be forgotten.
const quietRun = 10 * time.Minute

// start takes a container to running: its image, its environment, its start.
func (k *kubelet) start(ctx context.Context, pod *corev1.Pod, c *container, now time.Time) (outcome, error) {
	if c.phase == backingOff {
		next, over, err := k.sitOut(ctx, pod, c, now)
		if !over || err != nil {
			return next, err
		}
	}
	if next, ok, err := k.pull(ctx, pod, c, now); !ok || err != nil {
		return next, err
	}
	problem, err := lookup{k, pod}.environment(ctx, c.spec)
	if err != nil {
		return outcome{}, err
	}
	if problem != "" {
		if c.reason != reasonConfigError || c.message != problem {
			k.event(pod, c, corev1.EventTypeWarning, "Failed", "Error: %s", problem)
		}
		c.reason, c.message = reasonConfigError, problem
		return outcome{}, nil
	}
	k.event(pod, c, corev1.EventTypeNormal, "Created", "Container created")
	k.event(pod, c, corev1.EventTypeNormal, "Started", "Container started")
	c.run(now)
	return outcome{}, nil
}

// sitOut waits for the end of a back-off. Once its cause is gone, what is left
// of it is a simulated duration like any other, since it ends well.
func (k *kubelet) sitOut(ctx context.Context, pod *corev1.Pod, c *container, now time.Time) (next outcome, over bool, err error) {
	if c.until.After(now) && !c.cured {
		if c.cured, err = k.cured(ctx, pod, c); err != nil {
			return outcome{}, false, err
		}
		if c.cured {
			left := time.Duration(float64(c.until.Sub(now)) * float64(k.BackoffPace))
			k.Simulated(podRef(pod), StepBackOff, left)
			c.until = now.Add(k.Pace.Scale(left))
		}
	}
	switch {
	case c.until.After(now) && c.cured:
		return outcome{simulated, c.until}, false, nil
	case c.until.After(now):
		return outcome{backOff, c.until}, false, nil
	}
	c.phase = waiting
	if c.reason == reasonCrashLoop {
		c.restarts++
		c.reason, c.message = "", ""
	}
	return outcome{}, true, nil
}

// cured reports whether what a container backs off from is there no more.
func (k *kubelet) cured(ctx context.Context, pod *corev1.Pod, c *container) (bool, error) {
	if c.reason == reasonCrashLoop {
		a, err := k.ails(ctx, pod, c)
		return a == nil && !k.unhealthy(pod, c.spec), err
	}
	if c.verified {
		return false, nil // a registry is not asked more often than a kubelet does
	}
	ref, err := image.Parse(c.spec.Image)
	return err == nil && ref.Refused(k.Faults) == nil, nil
}

// run begins a container's life.
func (c *container) run(now time.Time) {
	c.phase, c.since = running, now
	c.reason, c.message, c.end, c.runs = "", "", nil, false
	c.started, c.ready, c.readyAt = c.spec.StartupProbe == nil, false, time.Time{}
}

// backOff keeps a container from going on for a while.
func (c *container) backOff(wait time.Duration, now time.Time) {
	c.phase, c.until, c.cured = backingOff, now.Add(wait), false
}

// crash ends a container with an error, and backs off before it is restarted,
// where its restart policy allows that.
func (k *kubelet) crash(pod *corev1.Pod, c *container, a ailment, now time.Time) outcome {
	if now.Sub(c.since) >= quietRun {
		c.crashes = 0
	}
	c.finish(a.code, a.message, now)
	c.end.Reason = cmp.Or(a.reason, c.end.Reason)
	if policyOf(pod, c) == corev1.RestartPolicyNever {
		return outcome{kind: goOn}
	}
	c.crashes++
	c.last, c.end = c.end, nil
	wait := domain.CrashBackoff(c.crashes)
	c.backOff(k.BackoffPace.Scale(wait), now)
	who := fmt.Sprintf("%s_%s(%s)", pod.Name, pod.Namespace, pod.UID)
	c.reason, c.message = reasonCrashLoop, fmt.Sprintf("back-off %s restarting failed container=%s pod=%s", wait, c.spec.Name, who)
	k.event(pod, c, corev1.EventTypeWarning, "BackOff", "Back-off restarting failed container %s in pod %s", c.spec.Name, who)
	return outcome{backOff, c.until}
}

// policyOf returns whether a container is restarted: its own policy wins over
// the pod's, and an init container's end is no reason to run it again.
func policyOf(pod *corev1.Pod, c *container) corev1.RestartPolicy {
	switch {
	case c.spec.RestartPolicy != nil:
		return corev1.RestartPolicy(*c.spec.RestartPolicy)
	case c.initial && pod.Spec.RestartPolicy == corev1.RestartPolicyAlways:
		return corev1.RestartPolicyOnFailure
	}
	return pod.Spec.RestartPolicy
}

// finish ends a container that runs. What it said last is its message.
func (c *container) finish(code int32, message string, now time.Time) {
	reason := "Completed"
	if code != 0 {
		reason = "Error"
	}
	c.phase, c.started, c.ready = terminated, false, false
	c.end = &corev1.ContainerStateTerminated{
		ExitCode: code, Reason: reason, Message: message,
		StartedAt: metav1Time(c.since), FinishedAt: metav1Time(now),
	}
}

func (k *kubelet) event(pod *corev1.Pod, c *container, kind, reason, format string, args ...any) {
	k.events.pod(pod, containerField(c.spec.Name, c.initial), kind, reason, format, args...)
}
