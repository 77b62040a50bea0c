package kubelet

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
)

// ailment is why a container exits with an error each time it has started.
type ailment struct {
	code int32
	// message is what it says last. It never holds a value of its environment.
	message string
}

// ails returns what makes a container crash, or nil: a fault, or the lack of
// something that no application starts without.
func (k *kubelet) ails(ctx context.Context, pod *corev1.Pod, c *container) (*ailment, error) {
	if !c.initial && k.crashes(pod) {
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
