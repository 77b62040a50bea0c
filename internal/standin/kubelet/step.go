package kubelet

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// outcome says how a walk goes on after a step.
type outcome struct {
	kind  outcomeKind
	until time.Time
}

type outcomeKind int

const (
	blocked   outcomeKind = iota // by an object that is missing, or for good: a watch goes on with it
	goOn                         // show what has been reached, then take the next step
	simulated                    // a simulated duration runs, which is progress
	backOff                      // a back-off runs, which is none
)

// step takes a pod one step on: admission, volumes, init containers, the
// containers' start, their readiness or their end.
func (k *kubelet) step(ctx context.Context, pod *corev1.Pod, p *play, now time.Time) (outcome, error) {
	if !p.admitted {
		p.admitted, p.started = true, metav1Time(now)
		return outcome{kind: goOn}, nil
	}
	if !p.mounted {
		if ok, err := k.mount(ctx, pod, p); !ok || err != nil {
			return outcome{}, err
		}
		if anyRunning(p.mains) {
			k.nodes.hasImages(pod, now)
		}
	}
	next, ok, err := k.startInits(ctx, pod, p, now)
	if !ok || err != nil {
		return next, err
	}
	next, ok, err = k.startMains(ctx, pod, p, now)
	if !ok || err != nil {
		return next, err
	}
	k.wakes.forget(client.ObjectKeyFromObject(pod))
	if finishes(pod) {
		return k.runToEnd(pod, p, now), nil
	}
	return k.becomeReady(pod, p, now), nil
}

// mount waits for the pod's volumes, and gives the pod its address.
func (k *kubelet) mount(ctx context.Context, pod *corev1.Pod, p *play) (bool, error) {
	problem := ""
	if !anyRunning(p.mains) && !anyRunning(p.inits) {
		var err error
		if problem, err = (lookup{k, pod}).volumes(ctx); err != nil {
			return false, err
		}
	}
	if problem != "" {
		if problem != p.waitingOn {
			k.events.pod(pod, "", corev1.EventTypeWarning, "FailedMount", "%s", problem)
		}
		p.waitingOn = problem
		return false, nil
	}
	ip, err := k.nodes.takeAddress(pod)
	if err != nil {
		if err.Error() != p.waitingOn {
			k.events.pod(pod, "", corev1.EventTypeWarning, "FailedCreatePodSandBox", "Failed to create pod sandbox: %v", err)
		}
		p.waitingOn = err.Error()
		return false, nil
	}
	p.mounted, p.ip, p.waitingOn = true, ip, ""
	return true, nil
}

// startInits takes the init containers in their order; ok says that all are
// done, or, for sidecars, started.
func (k *kubelet) startInits(ctx context.Context, pod *corev1.Pod, p *play, now time.Time) (next outcome, ok bool, err error) {
	for _, c := range p.inits {
		if c.done() {
			continue
		}
		if c.phase != running {
			next, err = k.start(ctx, pod, p, c, now)
			if c.phase != running || err != nil {
				return next, false, err
			}
		}
		if c.sidecar() {
			continue
		}
		if !c.runs {
			c.runs, c.until = true, k.simulate(pod, StepInit, c.spec.Name, now)
		}
		if c.until.After(now) {
			return outcome{simulated, c.until}, false, nil
		}
		c.finish(0, now)
	}
	return outcome{}, true, nil
}

// startMains starts the containers one after the other, as a kubelet does: a
// pull holds up the ones behind it, a missing Secret does not. ok says that
// all run, or have run.
func (k *kubelet) startMains(ctx context.Context, pod *corev1.Pod, p *play, now time.Time) (next outcome, ok bool, err error) {
	ok = true
	for _, c := range p.mains {
		if c.done() {
			continue
		}
		one, err := k.start(ctx, pod, p, c, now)
		if err != nil {
			return one, false, err
		}
		if c.phase == running {
			p.ready, p.readyAt = false, time.Time{}
			continue
		}
		ok = false
		next = sooner(next, one)
		if one.kind == simulated {
			break
		}
	}
	return next, ok, nil
}

// sooner returns which of two outcomes to act on.
func sooner(a, b outcome) outcome {
	first := a
	if a.kind == blocked || b.kind != blocked && b.until.Before(a.until) {
		first = b
	}
	if first.kind == backOff && (a.kind == simulated || b.kind == simulated) {
		first.kind = simulated // a duration runs as well, which is progress
	}
	return first
}

// becomeReady waits until the containers that run are ready: probes pass once
// the drawn start-up is over. Or else a container crashes then.
func (k *kubelet) becomeReady(pod *corev1.Pod, p *play, now time.Time) outcome {
	crashes := k.Faults.Crash(pod)
	if p.ready && !crashes {
		return outcome{}
	}
	if p.readyAt.IsZero() && !p.ready {
		p.readyAt = k.simulate(pod, StepStart, "", now)
		return outcome{kind: goOn}
	}
	if p.readyAt.After(now) {
		return outcome{simulated, p.readyAt}
	}
	first := p.mains[0]
	switch {
	case !crashes:
		p.ready = true
		return outcome{}
	case !p.ready && !probed(first.spec):
		// Without a probe a container counts as ready until it crashes.
		p.ready = true
		return outcome{kind: goOn}
	}
	return k.crash(pod, p, first, now)
}

// probed reports whether a container has to prove that it is ready.
func probed(c *corev1.Container) bool { return c.ReadinessProbe != nil || c.StartupProbe != nil }

// runToEnd lets the containers of a pod that is not to be restarted run for
// the drawn time and end well, or crash.
func (k *kubelet) runToEnd(pod *corev1.Pod, p *play, now time.Time) outcome {
	if allTerminated(p.mains) {
		for _, c := range p.inits {
			if c.phase == running {
				c.finish(0, now)
			}
		}
		return outcome{}
	}
	if p.readyAt.IsZero() {
		p.ready, p.readyAt = true, k.simulate(pod, StepRun, "", now)
		return outcome{kind: goOn}
	}
	if p.readyAt.After(now) {
		return outcome{simulated, p.readyAt}
	}
	p.ready = false
	if first := p.mains[0]; first.phase == running && k.Faults.Crash(pod) {
		return k.crash(pod, p, first, now)
	}
	for _, c := range p.mains {
		if c.phase == running {
			c.finish(0, now)
		}
	}
	return outcome{kind: goOn}
}

// finishes reports whether a pod's containers run to an end.
func finishes(pod *corev1.Pod) bool { return pod.Spec.RestartPolicy != corev1.RestartPolicyAlways }

func anyRunning(containers []*container) bool {
	for _, c := range containers {
		if c.phase == running {
			return true
		}
	}
	return false
}

func allTerminated(containers []*container) bool {
	for _, c := range containers {
		if c.phase != terminated {
			return false
		}
	}
	return true
}
