package kubelet

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
)

// Why a container waits, in a kubelet's words.
const (
	reasonCreating     = "ContainerCreating"
	reasonInitializing = "PodInitializing"
	reasonConfigError  = "CreateContainerConfigError"
	reasonErrPull      = "ErrImagePull"
	reasonPullBackOff  = "ImagePullBackOff"
	reasonCrashLoop    = "CrashLoopBackOff"
)

// quietRun is how long a container has to run for its crashes to be forgotten.
const quietRun = 10 * time.Minute

// start takes a container to running: its image, its environment, its start.
func (k *kubelet) start(ctx context.Context, pod *corev1.Pod, p *play, c *container, now time.Time) (outcome, error) {
	if c.phase == backingOff {
		if c.until.After(now) {
			return outcome{backOff, c.until}, nil
		}
		c.phase = waiting
		if c.reason == reasonCrashLoop {
			c.restarts++
			c.reason, c.message = "", ""
		}
	}
	if next, ok := k.pull(pod, c, now); !ok {
		return next, nil
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
	c.phase, c.since = running, now
	c.reason, c.message, c.end, c.runs = "", "", nil, false
	return outcome{}, nil
}

// pull sees to a container's image; ok says that it is there.
func (k *kubelet) pull(pod *corev1.Pod, c *container, now time.Time) (next outcome, ok bool) {
	image := c.spec.Image
	if err := k.Faults.PullError(image); err != nil {
		return k.pullFails(pod, c, err, now), false
	}
	c.pullTries = 0
	if c.reason == reasonErrPull || c.reason == reasonPullBackOff {
		c.reason, c.message = "", ""
	}
	pull := k.nodes.image(pod.Spec.NodeName, image, now)
	if !c.pulling && pull.takes > 0 {
		c.pulling, c.pullBegan = true, now
		k.event(pod, c, corev1.EventTypeNormal, "Pulling", "Pulling image %q", image)
		k.Simulated(podRef(pod), StepPull, pull.takes)
	}
	if pull.until.After(now) {
		return outcome{simulated, pull.until}, false
	}
	switch {
	case c.pulling:
		took := now.Sub(c.pullBegan).Round(time.Millisecond)
		k.event(pod, c, corev1.EventTypeNormal, "Pulled", "Successfully pulled image %q in %s (%s including waiting)", image, took, took)
		c.pulling = false
	case c.reason == "":
		k.event(pod, c, corev1.EventTypeNormal, "Pulled", "Container image %q already present on machine", image)
	}
	return outcome{}, true
}

// pullFails makes the tries that the domain allows back to back, and then
// backs off, as a kubelet does, for as long as the image cannot be had.
func (k *kubelet) pullFails(pod *corev1.Pod, c *container, err error, now time.Time) outcome {
	image := c.spec.Image
	c.pullTries++
	k.event(pod, c, corev1.EventTypeNormal, "Pulling", "Pulling image %q", image)
	k.event(pod, c, corev1.EventTypeWarning, "Failed", "Failed to pull image %q: %v", image, err)
	k.event(pod, c, corev1.EventTypeWarning, "Failed", "Error: %s", reasonErrPull)
	if c.pullTries < domain.ImagePullTries {
		c.reason, c.message = reasonErrPull, fmt.Sprintf("failed to pull image %q: %v", image, err)
		return outcome{kind: goOn}
	}
	wait := domain.CrashBackoff(c.pullTries - domain.ImagePullTries + 1)
	c.phase, c.until = backingOff, now.Add(k.BackoffPace.Scale(wait))
	c.reason, c.message = reasonPullBackOff, fmt.Sprintf("Back-off pulling image %q: %s: %v", image, reasonErrPull, err)
	k.event(pod, c, corev1.EventTypeNormal, "BackOff", "Back-off pulling image %q", image)
	k.event(pod, c, corev1.EventTypeWarning, "Failed", "Error: %s", reasonPullBackOff)
	return outcome{backOff, c.until}
}

// crash ends a container with an error, and backs off before it is restarted,
// where the pod's restart policy allows that.
func (k *kubelet) crash(pod *corev1.Pod, p *play, c *container, now time.Time) outcome {
	if now.Sub(c.since) >= quietRun {
		c.crashes = 0
	}
	c.finish(1, now)
	p.ready, p.readyAt = false, time.Time{}
	if pod.Spec.RestartPolicy == corev1.RestartPolicyNever {
		// The others end with it: nothing is left that they could wait for.
		for _, other := range p.mains {
			if other.phase == running {
				other.finish(0, now)
			}
		}
		return outcome{kind: goOn}
	}
	c.crashes++
	c.last, c.end = c.end, nil
	wait := domain.CrashBackoff(c.crashes)
	c.phase, c.until = backingOff, now.Add(k.BackoffPace.Scale(wait))
	who := fmt.Sprintf("container=%s pod=%s_%s(%s)", c.spec.Name, pod.Name, pod.Namespace, pod.UID)
	c.reason, c.message = reasonCrashLoop, fmt.Sprintf("back-off %s restarting failed %s", wait, who)
	k.event(pod, c, corev1.EventTypeWarning, "BackOff", "Back-off restarting failed container %s in pod %s_%s(%s)", c.spec.Name, pod.Name, pod.Namespace, pod.UID)
	return outcome{backOff, c.until}
}

// finish ends a container that runs.
func (c *container) finish(code int32, now time.Time) {
	reason := "Completed"
	if code != 0 {
		reason = "Error"
	}
	c.phase = terminated
	c.end = &corev1.ContainerStateTerminated{
		ExitCode: code, Reason: reason,
		StartedAt: metav1Time(c.since), FinishedAt: metav1Time(now),
	}
}

func (k *kubelet) event(pod *corev1.Pod, c *container, kind, reason, format string, args ...any) {
	k.events.pod(pod, containerField(c.spec.Name, c.initial), kind, reason, format, args...)
}
