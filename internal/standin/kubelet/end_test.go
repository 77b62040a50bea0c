package kubelet

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup
func TestActiveDeadline(t *testing.T) {
	for name, change := range map[string]func(*corev1.Pod){
		"of one that runs": func(pod *corev1.Pod) {},
		"of one that waits": func(pod *corev1.Pod) {
			pod.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "later"}}}}
		},
		"of one that crashes": func(pod *corev1.Pod) { pod.Name = "crashes" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.fault(t, "crash=home/crashes")
			l := w.live(t, "app", func(pod *corev1.Pod) {
				pod.Spec.ActiveDeadlineSeconds = ptr.To[int64](600)
				change(pod)
			})
			began := l.now
			s := l.until("failed", func(s *corev1.PodStatus) bool { return s.Phase == corev1.PodFailed })
			if s.Reason != "DeadlineExceeded" || s.Message != "Pod was active on the node longer than the specified deadline" {
				t.Errorf("%s: %s", s.Reason, s.Message)
			}
			if took := l.now.Sub(began); took < 599*time.Second || took > 601*time.Second {
				t.Errorf("it was given %s", took)
			}
			if c := s.ContainerStatuses[0]; c.State.Running != nil || c.State.Terminated != nil && c.State.Terminated.ExitCode != 137 {
				t.Errorf("%+v", c)
			}
			if !w.said("DeadlineExceeded", "longer than the specified deadline") {
				t.Error("nobody said so")
			}
		})
	}
}

// https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#hook-handler-execution
func TestPreStopSleeps(t *testing.T) {
	sleeps := func(seconds int64) *corev1.Lifecycle {
		return &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: seconds}}}
	}
	w := newWorld(t)
	l := w.live(t, "app", func(pod *corev1.Pod) {
		pod.Spec.Containers[0].Lifecycle = sleeps(20)
		pod.Spec.Containers = append(pod.Spec.Containers,
			corev1.Container{Name: "short", Image: "example.org/app:1", Lifecycle: sleeps(5)},
			corev1.Container{Name: "command", Image: "example.org/app:1", Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{}}}})
	})
	if got := stopTakes(l.pod, l.play); got != 0 {
		t.Errorf("hooks of containers that never ran take %s", got)
	}
	l.until("ready", isReady)
	if got := stopTakes(l.pod, l.play); got != 20*time.Second {
		t.Errorf("the hooks take %s", got)
	}
	l.play.inits = append(l.play.inits, &container{initial: true, phase: running, spec: &corev1.Container{Name: "side", Lifecycle: sleeps(25)}})
	if got := stopTakes(l.pod, l.play); got != 25*time.Second {
		t.Errorf("with a sidecar's the hooks take %s", got)
	}
	l.pod.DeletionGracePeriodSeconds = ptr.To[int64](7)
	if got := stopTakes(l.pod, l.play); got != 7*time.Second {
		t.Errorf("within a grace period of 7 s the hooks take %s", got)
	}
}
