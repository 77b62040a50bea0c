package nodelife

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"hearth/internal/domain"
)

// https://kubernetes.io/docs/reference/labels-annotations-taints/ lists the
// taints, and what condition each stands for.
func TestTaintsFollowConditions(t *testing.T) {
	now := metav1.Now()
	own := corev1.Taint{Key: "example.org/own", Effect: corev1.TaintEffectNoSchedule}
	stale := corev1.Taint{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule}
	is := func(kind corev1.NodeConditionType, status corev1.ConditionStatus) corev1.NodeCondition {
		return corev1.NodeCondition{Type: kind, Status: status}
	}
	for name, c := range map[string]struct {
		conditions []corev1.NodeCondition
		cordoned   bool
		want       []string
	}{
		"healthy":  {[]corev1.NodeCondition{is(corev1.NodeReady, "True"), is(corev1.NodeDiskPressure, "False")}, false, nil},
		"silent":   {[]corev1.NodeCondition{is(corev1.NodeReady, "Unknown")}, false, []string{"node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute"}},
		"unready":  {[]corev1.NodeCondition{is(corev1.NodeReady, "False")}, false, []string{"node.kubernetes.io/not-ready:NoSchedule", "node.kubernetes.io/not-ready:NoExecute"}},
		"full":     {[]corev1.NodeCondition{is(corev1.NodeReady, "True"), is(corev1.NodeDiskPressure, "True")}, false, []string{"node.kubernetes.io/disk-pressure:NoSchedule"}},
		"cordoned": {[]corev1.NodeCondition{is(corev1.NodeReady, "True")}, true, []string{"node.kubernetes.io/unschedulable:NoSchedule"}},
	} {
		node := &corev1.Node{Spec: corev1.NodeSpec{Taints: []corev1.Taint{own, stale}, Unschedulable: c.cordoned}, Status: corev1.NodeStatus{Conditions: c.conditions}}
		var got []string
		for _, taint := range taints(node, now) {
			got = append(got, taint.Key+":"+string(taint.Effect))
		}
		if diff := cmp.Diff(append([]string{"example.org/own:NoSchedule"}, c.want...), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTaintKeepsTheTimeItCame(t *testing.T) {
	came := metav1.NewTime(time.Now().Add(-time.Hour))
	node := &corev1.Node{
		Spec:   corev1.NodeSpec{Taints: []corev1.Taint{{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute, TimeAdded: &came}}},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown}}},
	}
	for _, taint := range taints(node, metav1.Now()) {
		if taint.Effect == corev1.TaintEffectNoExecute && !taint.TimeAdded.Equal(&came) {
			t.Errorf("the taint came at %s, and says %s", came, taint.TimeAdded)
		}
	}
}

// https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
func TestWhenPodsHaveToGo(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	added := metav1.NewTime(now)
	list := []corev1.Taint{{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute, TimeAdded: &added}}
	exists := func(seconds *int64) corev1.Toleration {
		return corev1.Toleration{Key: corev1.TaintNodeUnreachable, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: seconds}
	}
	for name, c := range map[string]struct {
		tolerations []corev1.Toleration
		after       time.Duration
		ever        bool
	}{
		"no toleration":           {nil, 0, true},
		"for five minutes":        {[]corev1.Toleration{exists(ptr.To[int64](300))}, 300 * time.Second, true},
		"the shortest of several": {[]corev1.Toleration{exists(nil), exists(ptr.To[int64](30)), exists(ptr.To[int64](300))}, 30 * time.Second, true},
		"for ever":                {[]corev1.Toleration{exists(nil)}, 0, false},
		"everything":              {[]corev1.Toleration{{Operator: corev1.TolerationOpExists}}, 0, false},
		"another value":           {[]corev1.Toleration{{Key: corev1.TaintNodeUnreachable, Value: "x"}}, 0, true},
		"another effect":          {[]corev1.Toleration{{Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}}, 0, true},
	} {
		w := &watch{Options: Options{Pace: domain.RealPace}}
		at, ever := w.due(&corev1.Pod{Spec: corev1.PodSpec{Tolerations: c.tolerations}}, list, now)
		if ever != c.ever || ever && !at.Equal(now.Add(c.after)) {
			t.Errorf("%s: %v, after %s", name, ever, at.Sub(now))
		}
	}
}
