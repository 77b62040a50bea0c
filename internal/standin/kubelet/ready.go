package kubelet

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// comeUp waits until the containers that run are ready: probes pass once the
// drawn start-up is over. Or else a container crashes then, or its probes fail.
func (k *kubelet) comeUp(ctx context.Context, pod *corev1.Pod, p *play, now time.Time) (outcome, error) {
	k.beginStart(pod, p, now)
	var next outcome
	for _, c := range p.mains {
		if c.phase != running {
			continue
		}
		one, err := k.comeUpOne(ctx, pod, p, c, now)
		if err != nil {
			return outcome{}, err
		}
		next = sooner(next, one)
	}
	k.shareImages(pod, p)
	return next, nil
}

// beginStart draws how long the containers that have just started take; the
// pod's containers come up together.
func (k *kubelet) beginStart(pod *corev1.Pod, p *play, now time.Time) {
	var at time.Time
	for _, c := range p.mains {
		if c.phase != running || c.ready || !c.readyAt.IsZero() {
			continue
		}
		if at.IsZero() {
			at = k.simulate(pod, StepStart, "", now)
		}
		c.readyAt = at
	}
}

func (k *kubelet) comeUpOne(ctx context.Context, pod *corev1.Pod, p *play, c *container, now time.Time) (outcome, error) {
	if c.readyAt.After(now) {
		return outcome{simulated, c.readyAt}, nil
	}
	a, err := k.ails(ctx, pod, c)
	if err != nil {
		return outcome{}, err
	}
	switch {
	case a != nil && !c.ready && !probed(c.spec):
		// Without a probe a container counts as ready until it crashes.
		c.ready = true
		return outcome{kind: goOn}, nil
	case a != nil:
		return k.crash(pod, c, *a, now), nil
	case k.unhealthy(pod, c.spec):
		return k.failProbes(pod, p, c, now), nil
	}
	c.unhealthy, c.killAt = false, time.Time{}
	c.started, c.ready = true, true
	return outcome{}, nil
}

// probed reports whether a container has to prove that it is ready.
func probed(c *corev1.Container) bool { return c.ReadinessProbe != nil || c.StartupProbe != nil }

// shareImages lets a mirror's pod serve other nodes while it is ready.
func (k *kubelet) shareImages(pod *corev1.Pod, p *play) {
	switch {
	case !mirrors(pod):
	case p.ready():
		k.stock.Serve(pod.Spec.NodeName, pod.UID)
	default:
		k.stock.Unserve(pod.Spec.NodeName, pod.UID)
	}
}

// runToEnd lets the containers of a pod that is not to be restarted run for
// the drawn time and end well, or crash.
func (k *kubelet) runToEnd(ctx context.Context, pod *corev1.Pod, p *play, now time.Time) (outcome, error) {
	if allTerminated(p.mains) {
		for _, c := range p.inits {
			if c.phase == running {
				c.finish(0, "", now)
			}
		}
		return outcome{}, nil
	}
	if p.endsAt.IsZero() {
		p.endsAt = k.simulate(pod, StepRun, "", now)
		for _, c := range p.mains {
			c.started, c.ready = true, c.phase == running
		}
		return outcome{kind: goOn}, nil
	}
	if p.endsAt.After(now) {
		return outcome{simulated, p.endsAt}, nil
	}
	p.endsAt = time.Time{}
	next := outcome{kind: goOn}
	for _, c := range p.mains {
		if c.phase != running {
			continue
		}
		a, err := k.ails(ctx, pod, c)
		if err != nil {
			return outcome{}, err
		}
		if a == nil {
			c.finish(0, "", now)
			continue
		}
		next = k.crash(pod, c, *a, now)
	}
	return next, nil
}
