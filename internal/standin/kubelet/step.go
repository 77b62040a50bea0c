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
	backOff                      // a back-off runs, or a deadline, which is none
)

// step takes a pod one step on: admission, volumes, init containers, the
// containers' start, their readiness or their end.
func (k *kubelet) step(ctx context.Context, pod *corev1.Pod, p *play, now time.Time) (outcome, error) {
	if !p.admitted {
		p.admitted, p.started = true, metav1Time(now)
		if k.rejects(pod) {
			k.reject(pod, p)
		}
		return outcome{kind: goOn}, nil
	}
	if k.gaveUp(pod, p, now) {
		return outcome{}, nil
	}
	next, err := k.live(ctx, pod, p, now)
	return k.untilDeadline(pod, p, next), err
}

// live takes a pod that was admitted one step on.
func (k *kubelet) live(ctx context.Context, pod *corev1.Pod, p *play, now time.Time) (outcome, error) {
	if !p.mounted {
		if ok, err := k.mount(ctx, pod, p); !ok || err != nil {
			return outcome{}, err
		}
		if anyRunning(p.mains) {
			k.hasImages(pod, now)
		}
	}
	next, ok, err := k.startInits(ctx, pod, p, now)
	if !ok || err != nil {
		return next, err
	}
	next, ok, err = k.startMains(ctx, pod, p, now)
	if err != nil {
		return next, err
	}
	if ok && !anyAiling(p.mains) {
		k.wakes.forget(client.ObjectKeyFromObject(pod))
	}
	if finishes(pod) {
		if !ok {
			return next, nil
		}
		return k.runToEnd(ctx, pod, p, now)
	}
	if next.kind == simulated {
		return next, nil // the containers of a pod come up together
	}
	up, err := k.comeUp(ctx, pod, p, now)
	if ok {
		return up, err
	}
	return sooner(next, up), err
}

// anyAiling reports whether what a container does hangs on other objects.
func anyAiling(containers []*container) bool {
	for _, c := range containers {
		if !c.ready {
			return true
		}
	}
	return false
}

// mount waits for the pod's volumes, and gives the pod its address.
func (k *kubelet) mount(ctx context.Context, pod *corev1.Pod, p *play) (bool, error) {
	problem := ""
	if !p.anyRunning() {
		var err error
		if problem, err = (lookup{k, pod}).volumes(ctx); err != nil {
			return false, err
		}
	}
	if problem != "" {
		if problem != p.waitingOn && problem != unattached {
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
		if c.phase == terminated {
			return outcome{}, false, nil // it has failed, and with it the pod
		}
		if c.phase != running {
			next, err = k.start(ctx, pod, c, now)
			if c.phase != running || err != nil {
				return next, false, err
			}
		}
		if c.sidecar() {
			c.started, c.ready = true, true
			continue
		}
		if next, err = k.runInit(ctx, pod, c, now); !c.done() || err != nil {
			return next, false, err
		}
	}
	return outcome{}, true, nil
}

// runInit lets an init container run for its drawn time, and end.
func (k *kubelet) runInit(ctx context.Context, pod *corev1.Pod, c *container, now time.Time) (outcome, error) {
	if !c.runs {
		c.runs, c.until = true, k.simulate(pod, StepInit, c.spec.Name, now)
	}
	if c.until.After(now) {
		return outcome{simulated, c.until}, nil
	}
	a, err := k.ails(ctx, pod, c)
	switch {
	case err != nil:
		return outcome{}, err
	case a != nil:
		return k.crash(pod, c, *a, now), nil
	}
	c.finish(0, "", now)
	return outcome{}, nil
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
		one, err := k.start(ctx, pod, c, now)
		if err != nil {
			return one, false, err
		}
		if c.phase == running {
			continue
		}
		ok = false
		next = sooner(next, one)
		if one.kind == simulated && c.phase == waiting {
			break
		}
	}
	return next, ok, nil
}

// sooner returns which of two outcomes to act on.
func sooner(a, b outcome) outcome {
	first := a
	switch {
	case a.kind == goOn || b.kind == goOn:
		return outcome{kind: goOn}
	case a.kind == blocked, b.kind != blocked && b.until.Before(a.until):
		first = b
	}
	if first.kind == backOff && (a.kind == simulated || b.kind == simulated) {
		first.kind = simulated // a duration runs as well, which is progress
	}
	return first
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
