package observe

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
)

// joining is how long after its registration a node's first words come.
const joining = 30 * time.Second

// taintNotReady keeps pods off a node that has registered and is not up.
const taintNotReady = "node.kubernetes.io/not-ready"

// NodeState derives the state of a node from its conditions: what its kubelet
// says of it, and whether the kubelet still speaks.
func NodeState(n *corev1.Node) Standing {
	ready := nodeCondition(n, corev1.NodeReady)
	s := Standing{Message: oneLine(ready.Message), Since: firstTime(since(ready.LastTransitionTime), since(n.CreationTimestamp))}
	switch {
	case n.DeletionTimestamp != nil:
		return deleting(domain.NodeDeleting, n.DeletionTimestamp, "")
	case ready.Status == corev1.ConditionUnknown && !ready.LastHeartbeatTime.IsZero():
		s.State = domain.NodeUnreachable
		return s
	case ready.Status == "" || ready.Status == corev1.ConditionUnknown:
		s.State, s.Message = domain.NodeJoining, "its kubelet has not spoken yet"
		return s
	}
	if p, short := pressure(n); short {
		s.State, s.Message, s.Since = domain.NodePressure, oneLine(string(p.Type)+": "+p.Message), since(p.LastTransitionTime)
		return s
	}
	switch {
	case ready.Status == corev1.ConditionFalse && neverReady(n, ready):
		s.State = domain.NodeJoining
	case ready.Status == corev1.ConditionFalse:
		s.State = domain.NodeNotReady
	case n.Spec.Unschedulable:
		s.State, s.Ready, s.Message = domain.NodeCordoned, true, "closed for new pods"
	default:
		s.State, s.Ready = domain.NodeReady, true
	}
	return s
}

func nodeCondition(n *corev1.Node, name corev1.NodeConditionType) corev1.NodeCondition {
	for _, c := range n.Status.Conditions {
		if c.Type == name {
			return c
		}
	}
	return corev1.NodeCondition{}
}

// pressure returns what a node runs short of.
func pressure(n *corev1.Node) (c corev1.NodeCondition, short bool) {
	for _, name := range []corev1.NodeConditionType{corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure} {
		if c := nodeCondition(n, name); c.Status == corev1.ConditionTrue {
			return c, true
		}
	}
	return corev1.NodeCondition{}, false
}

// neverReady reports whether a node's condition has not changed since it
// registered: it waits for its network.
func neverReady(n *corev1.Node, ready corev1.NodeCondition) bool {
	if ready.LastTransitionTime.Sub(n.CreationTimestamp.Time).Abs() > joining {
		return false
	}
	for _, t := range n.Spec.Taints {
		if t.Key == taintNotReady {
			return true
		}
	}
	return false
}
