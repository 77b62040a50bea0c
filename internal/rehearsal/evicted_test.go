package rehearsal

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestTurnedOut(t *testing.T) {
	for _, test := range []struct {
		phase  corev1.PodPhase
		reason string
		want   bool
	}{
		{corev1.PodFailed, "Evicted", true},
		{corev1.PodFailed, "OutOfcpu", true},
		{corev1.PodFailed, "NodeAffinity", true},
		{corev1.PodFailed, "", false}, // ended by itself: a Job that failed is to be seen
		{corev1.PodFailed, "DeadlineExceeded", false},
		{corev1.PodRunning, "Evicted", false},
	} {
		pod := &corev1.Pod{Status: corev1.PodStatus{Phase: test.phase, Reason: test.reason}}
		if got := turnedOut(pod); got != test.want {
			t.Errorf("%s %q: %v, want %v", test.phase, test.reason, got, test.want)
		}
	}
}
