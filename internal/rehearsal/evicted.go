package rehearsal

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// sweep deletes the pods that a node evicted or turned away. Kubernetes keeps
// them as traces until its garbage collector finds them to be too many, and
// their workloads have made others long before.
func (s *Stage) sweep(ctx context.Context) error {
	var pods corev1.PodList
	if err := s.engine.client.List(ctx, &pods); err != nil {
		return err
	}
	for i := range pods.Items {
		if pod := &pods.Items[i]; turnedOut(pod) {
			if err := client.IgnoreNotFound(s.engine.client.Delete(ctx, pod)); err != nil {
				return err
			}
		}
	}
	return nil
}

// turnedOut reports whether a pod ended for want of room on its node.
func turnedOut(pod *corev1.Pod) bool {
	reason := pod.Status.Reason
	return pod.Status.Phase == corev1.PodFailed && (reason == "Evicted" || reason == "NodeAffinity" || strings.HasPrefix(reason, "OutOf"))
}
