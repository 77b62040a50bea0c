package kubelet

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
func TestFailingProbes(t *testing.T) {
	probe := &corev1.Probe{
		ProbeHandler:  corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(5432)}},
		PeriodSeconds: 10, FailureThreshold: 30,
	}
	w := newWorld(t)
	lift := w.fault(t, "unhealthy=home/app")
	l := w.live(t, "app", func(pod *corev1.Pod) {
		pod.Spec.Containers[0].StartupProbe = probe
		pod.Spec.Containers[0].LivenessProbe = probe
		pod.Spec.Containers[0].ReadinessProbe = probe
	})
	s := l.until("running", func(s *corev1.PodStatus) bool { return s.ContainerStatuses[0].State.Running != nil })
	if c := s.ContainerStatuses[0]; *c.Started || c.Ready {
		t.Errorf("it counts as started before its startup probe has passed: %+v", c)
	}
	began := l.now
	s = l.until("killed", crashing)
	if took := l.now.Sub(began); took < 300*time.Second {
		t.Errorf("30 tries of 10 s were over after %s", took)
	}
	if c := s.ContainerStatuses[0]; c.LastTerminationState.Terminated.ExitCode != 137 {
		t.Errorf("%+v", c.LastTerminationState.Terminated)
	}
	if !w.said("Unhealthy", "Startup probe failed: dial tcp 10.244.0.2:5432: connect: connection refused") ||
		!w.said("Killing", "Container app failed startup probe, will be restarted") || w.said("Unhealthy", "Liveness") {
		t.Error("the events are not those of a failing startup probe")
	}
	lift()
	l.until("ready", isReady)
	lift = w.fault(t, "unhealthy=home/app")
	if s := l.after(time.Second); isReady(s) || !*s.ContainerStatuses[0].Started || s.ContainerStatuses[0].State.Running == nil {
		t.Errorf("%+v", s)
	}
	l.until("killed", crashing)
	if !w.said("Killing", "Container app failed liveness probe, will be restarted") || !w.said("Unhealthy", "Readiness probe failed") {
		t.Error("the events are not those of a failing liveness probe")
	}
	lift()
	l.until("ready", isReady)
}
