package nodelife

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// conditional are the taints that follow from a node's conditions.
// https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
var conditional = []struct {
	condition corev1.NodeConditionType
	status    corev1.ConditionStatus
	key       string
	evicts    bool
}{
	{corev1.NodeReady, corev1.ConditionFalse, corev1.TaintNodeNotReady, true},
	{corev1.NodeReady, corev1.ConditionUnknown, corev1.TaintNodeUnreachable, true},
	{corev1.NodeMemoryPressure, corev1.ConditionTrue, corev1.TaintNodeMemoryPressure, false},
	{corev1.NodeDiskPressure, corev1.ConditionTrue, corev1.TaintNodeDiskPressure, false},
	{corev1.NodePIDPressure, corev1.ConditionTrue, corev1.TaintNodePIDPressure, false},
	{corev1.NodeNetworkUnavailable, corev1.ConditionTrue, corev1.TaintNodeNetworkUnavailable, false},
}

// taint keeps the taints that follow from a node's conditions, and from its
// being cordoned. Others are left alone.
func (w *watch) taint(ctx context.Context, node *corev1.Node, now time.Time) error {
	before := node.DeepCopy()
	node.Spec.Taints = taints(node, metav1.NewTime(now.Truncate(time.Second)))
	w.mu.Lock()
	if slices.ContainsFunc(node.Spec.Taints, evicting) {
		w.evicts[node.Name] = true
	} else {
		delete(w.evicts, node.Name)
	}
	w.mu.Unlock()
	if equality.Semantic.DeepEqual(before.Spec.Taints, node.Spec.Taints) {
		return nil
	}
	// The list is replaced as a whole: somebody else's change must not be lost.
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := w.client.Patch(ctx, node, patch); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("taint node %s: %w", node.Name, err)
	}
	return nil
}

func evicting(t corev1.Taint) bool { return t.Effect == corev1.TaintEffectNoExecute }

// taints returns the taints that a node should have.
func taints(node *corev1.Node, now metav1.Time) []corev1.Taint {
	var want []corev1.Taint
	for _, c := range conditional {
		if condition(node, c.condition).Status != c.status {
			continue
		}
		want = append(want, corev1.Taint{Key: c.key, Effect: corev1.TaintEffectNoSchedule})
		if c.evicts {
			want = append(want, corev1.Taint{Key: c.key, Effect: corev1.TaintEffectNoExecute, TimeAdded: &now})
		}
	}
	if node.Spec.Unschedulable {
		want = append(want, corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule})
	}
	var kept []corev1.Taint
	for _, t := range node.Spec.Taints {
		if !ours(t.Key) || slices.ContainsFunc(want, func(w corev1.Taint) bool { return w.MatchTaint(&t) }) {
			kept = append(kept, t)
		}
	}
	for _, t := range want {
		if !slices.ContainsFunc(kept, func(k corev1.Taint) bool { return k.MatchTaint(&t) }) {
			kept = append(kept, t)
		}
	}
	return kept
}

// ours reports whether a taint's key belongs to conditions and cordons.
func ours(key string) bool {
	if key == corev1.TaintNodeUnschedulable {
		return true
	}
	for _, c := range conditional {
		if c.key == key {
			return true
		}
	}
	return false
}
