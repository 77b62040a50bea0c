package integration_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/standin"
	"hearth/internal/standin/kubelet"
)

// TestPodsTakeTheirTime walks pods at a pace at which each step can be seen.
func TestPodsTakeTheirTime(t *testing.T) {
	t.Parallel()
	s := openStage(t, standin.Options{Pace: 100, Seed: 3, Nodes: []kubelet.Node{{Name: "a"}, {Name: "b"}}})
	ns := s.namespace(t)
	runSpegel(t, s, ns, "a", "b")
	on := func(node string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) { pod.Spec.NodeName = node }
	}
	first := podOf(ns, "first", on("a"))
	w, err := s.Watch(t.Context(), &corev1.PodList{}, client.InNamespace(ns), client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("metadata.name", "first")})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	began := time.Now()
	s.make(t, first)
	var seen []string
	busy := true
	for event := range w.ResultChan() {
		pod, ok := event.Object.(*corev1.Pod)
		if !ok || pod.Status.StartTime == nil {
			continue
		}
		busy = busy && (isReady(pod) || s.gate.Busy() > 0)
		if now := look(pod); len(seen) == 0 || seen[len(seen)-1] != now {
			seen = append(seen, now)
		}
		if isReady(pod) {
			break
		}
	}
	took := time.Since(began)
	if diff := cmp.Diff([]string{"Pending ContainerCreating", "Running", "Running ready"}, seen); diff != "" {
		t.Errorf("what the pod went through (-want +got):\n%s", diff)
	}
	if !busy {
		t.Error("a pod that is on its way is no progress")
	}
	ref := domain.Ref{Kind: "Pod", Namespace: ns, Name: "first"}
	pull, start := s.durations.of(ref, kubelet.StepPull), s.durations.of(ref, kubelet.StepStart)
	within(t, "first pull", pull, domain.ImagePullUncached)
	within(t, "start", start, domain.PodStartup)
	if least := domain.Pace(100).Scale(pull + start); took < least {
		t.Errorf("the pod was ready after %s, and should have taken %s", took, least)
	}

	peer, again := podOf(ns, "peer", on("b")), podOf(ns, "again", on("a"))
	s.make(t, peer, again)
	awaitPod(t, s, peer, "ready", isReady)
	awaitPod(t, s, again, "ready", isReady)
	within(t, "pull from a peer", s.durations.of(domain.Ref{Kind: "Pod", Namespace: ns, Name: "peer"}, kubelet.StepPull), domain.ImagePullCached)
	if d := s.durations.of(domain.Ref{Kind: "Pod", Namespace: ns, Name: "again"}, kubelet.StepPull); d != 0 {
		t.Errorf("an image that the node has is pulled for %s", d)
	}
	s.awaitEvent(t, ns, "again", "Pulled", `Container image "example.org/app:1" already present on machine`)
}

// runSpegel lets nodes share their images.
func runSpegel(t *testing.T, s *stage, ns string, nodes ...string) {
	t.Helper()
	for _, node := range nodes {
		pod := podOf(ns, "spegel-"+node, func(pod *corev1.Pod) {
			pod.Spec.NodeName = node
			pod.Spec.Containers[0].Image = "ghcr.io/spegel-org/spegel:v0.4.0"
		})
		s.make(t, pod)
		awaitPod(t, s, pod, "ready", isReady)
	}
}

func within(t *testing.T, what string, d time.Duration, o domain.Operation) {
	t.Helper()
	if r := o.Typical(); d < r.Min || d > r.Max {
		t.Errorf("%s takes %s, want %s", what, d, r)
	}
}

// look tells a pod's status in short.
func look(pod *corev1.Pod) string {
	s := string(pod.Status.Phase)
	if reason, _ := waitingReason(pod, "app"); reason != "" {
		s += " " + reason
	}
	if isReady(pod) {
		s += " ready"
	}
	return s
}
