package kubelet

import (
	"cmp"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
)

// unhealthy reports whether the probes of a container fail.
func (k *kubelet) unhealthy(pod *corev1.Pod, c *corev1.Container) bool {
	probed := c.StartupProbe != nil || c.ReadinessProbe != nil || c.LivenessProbe != nil
	return probed && k.Faults.On(domain.FaultUnhealthy, workloadNames(pod)...)
}

// failProbes tells that a container's probes fail, and ends it when a startup
// or liveness probe has done so for as often as it may.
func (k *kubelet) failProbes(pod *corev1.Pod, p *play, c *container, now time.Time) outcome {
	kind, deadly := deadlyProbe(c)
	if !c.unhealthy {
		c.unhealthy, c.ready = true, false
		k.tellProbes(pod, p.ip, c)
		if deadly != nil {
			c.killAt = now.Add(k.Pace.Scale(patienceOf(deadly)))
		}
		return outcome{kind: goOn}
	}
	switch {
	case deadly == nil:
		return outcome{}
	case c.killAt.After(now):
		return outcome{simulated, c.killAt}
	}
	k.event(pod, c, corev1.EventTypeNormal, "Killing", "Container %s failed %s probe, will be restarted", c.spec.Name, kind)
	c.unhealthy, c.killAt = false, time.Time{}
	return k.crash(pod, c, ailment{code: exitKilled}, now)
}

// deadlyProbe returns the probe whose failure ends the container: until it has
// started, the startup probe; then the liveness probe.
func deadlyProbe(c *container) (kind string, p *corev1.Probe) {
	if !c.started {
		return "startup", c.spec.StartupProbe
	}
	return "liveness", c.spec.LivenessProbe
}

// tellProbes says which of a container's probes fail: none but the startup
// probe runs until that has passed.
func (k *kubelet) tellProbes(pod *corev1.Pod, ip string, c *container) {
	tell := func(name string, p *corev1.Probe) {
		if p != nil {
			k.event(pod, c, corev1.EventTypeWarning, "Unhealthy", "%s probe failed: %s", name, probeOutput(p, ip))
		}
	}
	if !c.started {
		tell("Startup", c.spec.StartupProbe)
		return
	}
	tell("Readiness", c.spec.ReadinessProbe)
	tell("Liveness", c.spec.LivenessProbe)
}

// probeOutput is what a probe says that finds nobody well.
func probeOutput(p *corev1.Probe, ip string) string {
	switch {
	case p.HTTPGet != nil:
		return "HTTP probe failed with statuscode: 503"
	case p.TCPSocket != nil:
		return fmt.Sprintf("dial tcp %s:%s: connect: connection refused", cmp.Or(p.TCPSocket.Host, ip), p.TCPSocket.Port.String())
	case p.GRPC != nil:
		return "service unhealthy (responded with \"NOT_SERVING\")"
	}
	return ""
}

// patienceOf returns for how long a probe may fail.
func patienceOf(p *corev1.Probe) time.Duration {
	tries, every := max(p.FailureThreshold, 1), max(p.PeriodSeconds, 1)
	return time.Duration(p.InitialDelaySeconds+tries*every) * time.Second
}
