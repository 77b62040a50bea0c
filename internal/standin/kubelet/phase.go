package kubelet

import corev1 "k8s.io/api/core/v1"

// phase returns the pod's phase by a kubelet's rules.
func (p *play) phase(pod *corev1.Pod) corev1.PodPhase {
	for _, c := range p.inits {
		switch {
		case c.phase == terminated && c.end.ExitCode != 0 && policyOf(pod, c) == corev1.RestartPolicyNever:
			return corev1.PodFailed
		case !c.done() && !p.stopped():
			return corev1.PodPending
		}
	}
	runs, fails, restarted := p.count(pod)
	switch {
	case runs < 0:
		return corev1.PodPending
	case runs > 0, restarted && !p.stopped():
		return corev1.PodRunning
	case fails > 0:
		return corev1.PodFailed
	}
	return corev1.PodSucceeded
}

// stopped reports whether the pod is to go, and has stopped.
func (p *play) stopped() bool { return !p.stopsAt.IsZero() && !p.anyRunning() }

// count returns how many of the containers run, or do again in a moment, and
// how many have failed; runs is negative while one has not begun. restarted
// says that one that has ended will be run again.
func (p *play) count(pod *corev1.Pod) (runs, fails int, restarted bool) {
	for _, c := range p.mains {
		switch {
		case c.phase == running, c.phase != terminated && c.last != nil && !p.stopped():
			runs++
		case c.phase != terminated && p.stopped():
			fails++
		case c.phase != terminated:
			return -1, 0, false
		case c.end.ExitCode != 0:
			fails++
			restarted = restarted || policyOf(pod, c) != corev1.RestartPolicyNever
		default:
			restarted = restarted || policyOf(pod, c) == corev1.RestartPolicyAlways
		}
	}
	return runs, fails, restarted
}
