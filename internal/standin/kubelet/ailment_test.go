package kubelet

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func runs(s *corev1.PodStatus) bool { return s.ContainerStatuses[0].Ready }

func crashLoops(s *corev1.PodStatus) bool { return waits(s, "app") == reasonCrashLoop }

// https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/#exceed-a-container-s-memory-limit
func TestContainerOutOfMemory(t *testing.T) {
	w := newWorld(t)
	lift := w.fault(t, "out-of-memory=home/app")
	l := w.live(t, "app", nil)
	s := l.until("crashing", crashLoops)
	if end := s.ContainerStatuses[0].LastTerminationState.Terminated; end == nil || end.Reason != "OOMKilled" || end.ExitCode != 137 {
		t.Errorf("it ended so: %+v", end)
	}
	lift()
	l.until("running", runs)
}

// TestImageChanges pulls a tag that stands for another image by now: what runs
// already goes on, and a digest never changes.
func TestImageChanges(t *testing.T) {
	w := newWorld(t)
	always := func(image string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.Spec.Containers[0].Image, pod.Spec.Containers[0].ImagePullPolicy = image, corev1.PullAlways
		}
	}
	pinned := "example.org/app:latest@sha256:0123456789012345678901234567890123456789012345678901234567890123"
	before := w.live(t, "before", always("example.org/app:latest"))
	old := before.until("running", runs).ContainerStatuses[0].ImageID
	lift := w.fault(t, "image-changed=example.org/app")
	l := w.live(t, "after", always("example.org/app:latest"))
	s := l.until("crashing", crashLoops)
	if id := s.ContainerStatuses[0].ImageID; id == "" || id == old {
		t.Errorf("the image is %q, as that of before %q", id, old)
	}
	if s := before.until("running", runs); s.ContainerStatuses[0].ImageID != old || s.ContainerStatuses[0].RestartCount > 0 {
		t.Errorf("what ran already is %+v", s.ContainerStatuses[0])
	}
	w.live(t, "pinned", always(pinned)).until("running", runs)
	lift()
	if id := l.until("running", runs).ContainerStatuses[0].ImageID; id != old {
		t.Errorf("afterwards the image is %q, want %q", id, old)
	}
}
