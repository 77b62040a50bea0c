package integration_test

import (
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// awaitEvicted evicts a pod as soon as the API server's own view of budgets
// allows that.
func awaitEvicted(t *testing.T, s *stage, evict func() error, pod *corev1.Pod) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := evict()
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("evict %s: %v", pod.Name, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.awaitGone(t, pod)
}

func nodeCondition(n *corev1.Node, kind corev1.NodeConditionType) corev1.NodeCondition {
	for _, c := range n.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return corev1.NodeCondition{}
}

// https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
func checkNodePressure(t *testing.T, s *stage) {
	ns := s.namespace(t)
	here := podOf(ns, "here", func(pod *corev1.Pod) { pod.Spec.NodeName = "node-1" })
	critical := podOf(ns, "critical", func(pod *corev1.Pod) {
		pod.Spec.NodeName, pod.Spec.PriorityClassName = "node-1", "system-node-critical"
	})
	s.make(t, here, critical)
	awaitPod(t, s, here, "ready", isReady)
	awaitPod(t, s, critical, "ready", isReady)

	lift := s.fault(t, "node-pressure=node-1")
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}}
	pressed := func(on bool) func(*corev1.Node) bool {
		status := map[bool]corev1.ConditionStatus{true: corev1.ConditionTrue, false: corev1.ConditionFalse}[on]
		return func(n *corev1.Node) bool {
			tainted := slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeDiskPressure })
			return nodeCondition(n, corev1.NodeDiskPressure).Status == status && tainted == on
		}
	}
	await(t, s, node, &corev1.NodeList{}, "under pressure", pressed(true))
	got := awaitPod(t, s, here, "evicted", func(p *corev1.Pod) bool { return p.Status.Reason == "Evicted" })
	if got.Status.Phase != corev1.PodFailed || got.Status.Message != "The node was low on resource: ephemeral-storage. " ||
		podCondition(got, corev1.DisruptionTarget) != corev1.ConditionTrue {
		t.Errorf("%+v", got.Status)
	}
	late := podOf(ns, "late", func(pod *corev1.Pod) { pod.Spec.NodeName = "node-1" })
	s.make(t, late)
	awaitPod(t, s, late, "rejected", func(p *corev1.Pod) bool {
		return p.Status.Phase == corev1.PodFailed && p.Status.Message == "Pod was rejected: The node had condition: [DiskPressure]. "
	})
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(critical), critical); err != nil || !isReady(critical) {
		t.Errorf("the critical pod: %v %+v", err, critical.Status)
	}
	lift()
	await(t, s, node, &corev1.NodeList{}, "relieved", pressed(false))
	again := podOf(ns, "again", func(pod *corev1.Pod) { pod.Spec.NodeName = "node-1" })
	s.make(t, again)
	awaitPod(t, s, again, "ready", isReady)
}

// https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller and
// https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
func checkNodeLost(t *testing.T, s *stage) {
	ns := s.namespace(t)
	d := deploymentOf(ns, "web", 1)
	d.Spec.Template.Spec.Affinity = preferNode("node-2")
	patient := podOf(ns, "patient", func(pod *corev1.Pod) {
		pod.Spec.NodeName = "node-2"
		pod.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	})
	s.make(t, d, patient)
	awaitPod(t, s, patient, "ready", isReady)
	await(t, s, d, &appsv1.DeploymentList{}, "available", func(d *appsv1.Deployment) bool { return d.Status.AvailableReplicas == 1 })
	first := onlyPod(t, s, ns, "node-2")

	lift := s.fault(t, "node-down=node-2")
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-2"}}
	await(t, s, node, &corev1.NodeList{}, "lost", func(n *corev1.Node) bool {
		c := nodeCondition(n, corev1.NodeReady)
		return c.Status == corev1.ConditionUnknown && c.Reason == "NodeStatusUnknown" && c.Message == "Kubelet stopped posting node status." &&
			slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool {
				return t.Key == corev1.TaintNodeUnreachable && t.Effect == corev1.TaintEffectNoExecute
			})
	})
	awaitPod(t, s, patient, "out of service", func(p *corev1.Pod) bool { return !isReady(p) && p.DeletionTimestamp == nil })
	awaitPod(t, s, first, "terminating", func(p *corev1.Pod) bool {
		return p.DeletionTimestamp != nil && podCondition(p, corev1.DisruptionTarget) == corev1.ConditionTrue
	})
	await(t, s, d, &appsv1.DeploymentList{}, "available elsewhere", func(d *appsv1.Deployment) bool { return d.Status.AvailableReplicas == 1 })
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(first), first); err != nil {
		t.Errorf("nobody could have ended the pod of a lost node, and yet: %v", err)
	}
	lift()
	await(t, s, node, &corev1.NodeList{}, "back", func(n *corev1.Node) bool {
		return nodeCondition(n, corev1.NodeReady).Status == corev1.ConditionTrue && len(n.Spec.Taints) == 0
	})
	awaitPod(t, s, patient, "ready again", isReady)
	s.awaitGone(t, first)
}

// preferNode asks for a node, but does not insist on it.
func preferNode(name string) *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{
		Weight: 100, Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{
			{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{name}},
		}},
	}}}}
}

// onlyPod returns the pod of the Deployment "web" that runs on a node.
func onlyPod(t *testing.T, s *stage, ns, node string) *corev1.Pod {
	t.Helper()
	pods := &corev1.PodList{}
	if err := s.List(t.Context(), pods, client.InNamespace(ns), client.MatchingLabels{"app": "web"}); err != nil {
		t.Fatal(err)
	}
	if len(pods.Items) != 1 || pods.Items[0].Spec.NodeName != node {
		t.Fatalf("%d pods, the first on %q, not one on %s", len(pods.Items), pods.Items[0].Spec.NodeName, node)
	}
	return &pods.Items[0]
}
