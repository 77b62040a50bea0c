package kubelet

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
	"hearth/internal/standin/image"
)

func crashing(s *corev1.PodStatus) bool { return waits(s, "app") == reasonCrashLoop }

// backOffs returns how long the next n back-offs last.
func (l *life) backOffs(n int) []time.Duration {
	l.t.Helper()
	var list []time.Duration
	for range n {
		l.until("backing off", crashing)
		began := l.now
		l.until("restarted", func(s *corev1.PodStatus) bool { return !crashing(s) })
		list = append(list, l.now.Sub(began))
	}
	return list
}

// https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy:
// the delay doubles from 10 s up to 300 s, and is reset once a container has run
// for ten minutes without a problem.
func TestBackOffDoublesAndIsReset(t *testing.T) {
	w := newWorld(t)
	lift := w.fault(t, "crash=home/app")
	l := w.live(t, "app", nil)
	doubling := []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, 5 * time.Minute, 5 * time.Minute}
	if diff := cmp.Diff(doubling, l.backOffs(len(doubling))); diff != "" {
		t.Errorf("back-offs (-want +got):\n%s", diff)
	}
	lift()
	if s := l.until("ready", isReady); s.ContainerStatuses[0].RestartCount != int32(len(doubling)) {
		t.Errorf("%d restarts, want %d", s.ContainerStatuses[0].RestartCount, len(doubling))
	}
	l.after(9 * time.Minute)
	lift = w.fault(t, "crash=home/app")
	if got := l.backOffs(1); got[0] != 5*time.Minute {
		t.Errorf("after nine quiet minutes it backs off for %s", got[0])
	}
	lift()
	l.until("ready", isReady)
	l.after(10 * time.Minute)
	w.fault(t, "crash=home/app")
	if diff := cmp.Diff(doubling[:2], l.backOffs(2)); diff != "" {
		t.Errorf("after ten quiet minutes (-want +got):\n%s", diff)
	}
}

// A back-off whose cause is gone ends well: what is left of it is progress.
func TestCuredBackOffIsProgress(t *testing.T) {
	w := newWorld(t)
	lift := w.fault(t, "crash=home/app")
	l := w.live(t, "app", nil)
	l.until("backing off", crashing)
	if next := l.step(); next.kind != backOff {
		t.Errorf("a crash that goes on counts as progress: %+v", next)
	}
	lift()
	if next := l.step(); next.kind != simulated {
		t.Errorf("a crash that is over is no progress: %+v", next)
	}
	l.until("ready", isReady)
}

// https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff
func TestPullBackOffDoubles(t *testing.T) {
	w := newWorld(t)
	lift := w.fault(t, "registry-down=example.org")
	l := w.live(t, "app", nil)
	var waited []time.Duration
	for range 4 {
		l.until("backing off", func(s *corev1.PodStatus) bool { return waits(s, "app") == reasonPullBackOff })
		next := l.step()
		waited = append(waited, next.until.Sub(l.now))
		l.now = next.until
	}
	want := []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second}
	if diff := cmp.Diff(want, waited); diff != "" {
		t.Errorf("back-offs (-want +got):\n%s", diff)
	}
	lift()
	l.until("ready", isReady)
}

// https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy
func TestPullPolicies(t *testing.T) {
	w := newWorld(t)
	w.live(t, "first", nil).until("ready", isReady)
	lift := w.fault(t, "registry-down=example.org")
	w.live(t, "cached", nil).until("ready from the cache", isReady)
	always := w.live(t, "always", func(pod *corev1.Pod) { pod.Spec.Containers[0].ImagePullPolicy = corev1.PullAlways })
	always.until("refused", func(s *corev1.PodStatus) bool { return waits(s, "app") == reasonPullBackOff })
	never := w.live(t, "never", func(pod *corev1.Pod) {
		pod.Spec.Containers[0].Image, pod.Spec.Containers[0].ImagePullPolicy = "example.org/other:1", corev1.PullNever
	})
	never.until("without its image", func(s *corev1.PodStatus) bool { return waits(s, "app") == reasonNeverPull })
	lift()
	always.until("ready", isReady)
	if !w.said("Pulled", "Successfully pulled image") || !w.said("Pulled", "already present on machine") {
		t.Error("nobody said how the images were had")
	}
}

// A slow pull takes its time even at the instant pace, where nothing else does,
// and ends at once when its fault does.
func TestSlowPullIsFelt(t *testing.T) {
	w := newWorld(t)
	w.Pace, w.stock = domain.Instant, image.NewStock(domain.Instant, 1)
	lift := w.fault(t, "slow-pull=example.org/app")
	slow := w.live(t, "slow", nil)
	if next := slow.step(); next.kind != simulated || next.until.Sub(w.now) != 30*time.Second {
		t.Errorf("a slow pull takes %s", next.until.Sub(w.now))
	}
	other := w.live(t, "other", func(pod *corev1.Pod) { pod.Spec.Containers[0].Image = "example.org/other:1" })
	if s := other.after(0); !isReady(s) {
		t.Errorf("a pod whose image is not slow: %+v", s)
	}
	lift()
	if s := slow.after(0); !isReady(s) {
		t.Errorf("the fault is lifted, and yet: %+v", s)
	}
}
