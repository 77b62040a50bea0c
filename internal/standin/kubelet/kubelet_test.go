package kubelet

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAddresses(t *testing.T) {
	a := newAddresses(netip.MustParsePrefix("10.0.0.0/29"))
	var got []string
	for range 5 {
		ip, err := a.take("")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ip)
	}
	if diff := cmp.Diff([]string{"10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"}, got); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	if ip, err := a.take(""); err == nil {
		t.Errorf("a full range gave %s", ip)
	}
	a.free("10.0.0.4")
	if ip, err := a.take("10.0.0.4"); err != nil || ip != "10.0.0.4" {
		t.Errorf("a free address that is asked for: %s %v", ip, err)
	}
}

func TestNodeRanges(t *testing.T) {
	for _, c := range []struct {
		cidr string
		n    int
		want string
	}{
		{"10.244.0.0/16", 3, "10.244.3.0/24"},
		{"10.0.0.0/8", 300, "10.1.44.0/24"},
		{"10.0.0.0/24", 1, "10.0.0.16/28"},
		{"10.0.0.0/24", 16, ""},
	} {
		got, ok := nodeRange(netip.MustParsePrefix(c.cidr), c.n)
		if ok != (c.want != "") || ok && got.String() != c.want {
			t.Errorf("node %d of %s has %s", c.n, c.cidr, got)
		}
	}
}

func TestNodesAreRefused(t *testing.T) {
	for name, nodes := range map[string][]Node{
		"two of a name": {{Name: "a"}, {Name: "a"}},
		"no name":       {{Name: "A B"}},
		"no quantity":   {{Name: "a", CPU: "many"}},
		"no address":    {{Name: "a", Address: "here"}},
		"no pods":       {{Name: "a", Pods: -1}},
	} {
		if _, err := newNodeSet(Options{Nodes: nodes}, netip.MustParsePrefix("10.244.0.0/16")); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestStableNames(t *testing.T) {
	pod := func(name, kind, owner, hash string) *corev1.Pod {
		yes := true
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name, Labels: map[string]string{"pod-template-hash": hash}}}
		if kind != "" {
			p.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: owner, Controller: &yes}}
		}
		return p
	}
	for want, p := range map[string]*corev1.Pod{
		"n/web":   pod("web-7d9f-x2x", "ReplicaSet", "web-7d9f", "7d9f"),
		"n/db-0":  pod("db-0", "StatefulSet", "db", ""),
		"n/agent": pod("agent-abcde", "DaemonSet", "agent", ""),
		"n/tidy":  pod("tidy-29051230-abcde", "Job", "tidy-29051230", ""),
		"n/once":  pod("once-abcde", "Job", "once", ""),
		"n/bare":  pod("bare", "", "", ""),
	} {
		if got := stableName(p); got != want {
			t.Errorf("%s is %s, want %s", p.Name, got, want)
		}
	}
}

func TestWantedLabels(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{
		NodeSelector: map[string]string{"disk": "ssd"},
		Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{
				{MatchExpressions: []corev1.NodeSelectorRequirement{
					{Key: "zone", Operator: corev1.NodeSelectorOpIn, Values: []string{"a", "b"}},
					{Key: "role", Operator: corev1.NodeSelectorOpExists},
					{Key: "old", Operator: corev1.NodeSelectorOpDoesNotExist},
				}},
				{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "gpu", Operator: corev1.NodeSelectorOpExists}}},
			},
		}}},
	}}
	want := []map[string]string{
		{"disk": "ssd", "zone": "a", "role": ""},
		{"disk": "ssd", "zone": "b", "role": ""},
		{"disk": "ssd", "gpu": ""},
	}
	if diff := cmp.Diff(want, wantedLabels(pod)); diff != "" {
		t.Errorf("ways to suit the pod (-want +got):\n%s", diff)
	}
}

// The rules are those of
// https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase.
func TestPhase(t *testing.T) {
	is := func(p phase, code int32) *container {
		return &container{spec: &corev1.Container{}, phase: p, end: &corev1.ContainerStateTerminated{ExitCode: code}}
	}
	crashed := is(backingOff, 0)
	crashed.last = &corev1.ContainerStateTerminated{ExitCode: 1}
	initial := is(running, 0)
	initial.initial = true
	for name, c := range map[string]struct {
		play   play
		policy corev1.RestartPolicy
		want   corev1.PodPhase
	}{
		"nothing runs":         {play{mains: []*container{is(waiting, 0)}}, "Always", corev1.PodPending},
		"one still waits":      {play{mains: []*container{is(running, 0), is(waiting, 0)}}, "Always", corev1.PodPending},
		"init runs":            {play{inits: []*container{initial}, mains: []*container{is(waiting, 0)}}, "Always", corev1.PodPending},
		"all run":              {play{mains: []*container{is(running, 0)}}, "Always", corev1.PodRunning},
		"crash back-off":       {play{mains: []*container{crashed}}, "Always", corev1.PodRunning},
		"all ended well":       {play{mains: []*container{is(terminated, 0)}}, "OnFailure", corev1.PodSucceeded},
		"one ended badly":      {play{mains: []*container{is(terminated, 0), is(terminated, 1)}}, "Never", corev1.PodFailed},
		"one ended, one runs":  {play{mains: []*container{is(terminated, 1), is(running, 0)}}, "Never", corev1.PodRunning},
		"ended, to be resumed": {play{mains: []*container{is(terminated, 1)}}, "OnFailure", corev1.PodRunning},
	} {
		if got := c.play.phase(&corev1.Pod{Spec: corev1.PodSpec{RestartPolicy: c.policy}}); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestDriversOfADeviceClass(t *testing.T) {
	if diff := cmp.Diff([]string{"gpu.example.org"}, drivers(classWith(`device.driver == "gpu.example.org" && device.attributes["gpu.example.org"].x`))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"named"}, drivers(classWith(`true`))); diff != "" {
		t.Error(diff)
	}
}
