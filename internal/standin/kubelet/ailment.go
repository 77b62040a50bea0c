package kubelet

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
	"hearth/internal/standin/image"
)

// ailment is why a container exits with an error each time it has started.
type ailment struct {
	code int32
	// reason is what the kubelet calls its end; empty is an error of its own.
	reason string
	// message is what it says last. It never holds a value of its environment.
	message string
}

// ails returns what makes a container crash, or nil: a fault, or the lack of
// something that no application starts without.
func (k *kubelet) ails(ctx context.Context, pod *corev1.Pod, c *container) (*ailment, error) {
	switch {
	case c.initial:
	case k.Faults.On(domain.FaultOutOfMemory, workloadNames(pod)...):
		return &ailment{code: exitKilled, reason: reasonOutOfMemory}, nil
	case k.crashes(pod), c.changed && k.changed(c):
		return &ailment{code: exitError}, nil
	}
	message, err := lookup{k, pod}.lack(ctx, c.spec)
	if err != nil || message == "" {
		return nil, err
	}
	return &ailment{code: exitError, message: message}, nil
}

// crashes reports whether a fault makes a pod's containers crash.
func (k *kubelet) crashes(pod *corev1.Pod) bool {
	return k.Faults.On(domain.FaultCrash, workloadNames(pod)...) || k.Faults.On(domain.FaultOperatorDown, operatorNames(pod)...)
}

// changed reports whether the tag of a container's image stands for another
// image than it did: that crashes.
func (k *kubelet) changed(c *container) bool {
	ref, err := image.Parse(c.spec.Image)
	return err == nil && ref.Digest == "" && k.Faults.On(domain.FaultImageChanged, ref.Names()...)
}
