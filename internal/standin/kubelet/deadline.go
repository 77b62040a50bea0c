package kubelet

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// What a kubelet says of a pod that was active for too long.
const (
	reasonDeadline  = "DeadlineExceeded"
	messageDeadline = "Pod was active on the node longer than the specified deadline"
)

// deadline returns when a pod has been active for too long; zero is never.
func deadline(pod *corev1.Pod, p *play) time.Time {
	if pod.Spec.ActiveDeadlineSeconds == nil {
		return time.Time{}
	}
	return p.started.Add(time.Duration(*pod.Spec.ActiveDeadlineSeconds) * time.Second)
}

func deadlinePassed(pod *corev1.Pod, p *play, now time.Time) bool {
	at := deadline(pod, p)
	return !at.IsZero() && !at.After(now)
}

// untilDeadline has a pod that waits looked at when its deadline passes.
func (k *kubelet) untilDeadline(pod *corev1.Pod, p *play, next outcome) outcome {
	at := deadline(pod, p)
	switch phase := p.phase(pod); {
	case at.IsZero(), phase == corev1.PodSucceeded, phase == corev1.PodFailed:
		return next
	case next.kind == blocked:
		return outcome{backOff, at}
	case next.kind != goOn && at.Before(next.until):
		next.until = at
	}
	return next
}
