package observe

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/domain"
)

// heard returns the events that wait for delivery, and forgets them.
func (w *informed) heard() []domain.Event {
	var list []domain.Event
	for _, m := range w.outbox {
		if e, ok := m.(domain.Event); ok {
			list = append(list, e)
		}
	}
	w.outbox = nil
	return list
}

func TestNoticesPullsAndRestarts(t *testing.T) {
	w := newInformed()
	w.OnEvent(func(domain.Event) {})
	pod := func(id string, restarts int32) *corev1.Pod {
		p := &corev1.Pod{}
		p.Namespace, p.Name, p.UID, p.Spec.NodeName = "media", "immich-0", "1", "k8s-1"
		p.Spec.Containers = []corev1.Container{{Name: "app"}}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: "app", Image: "ghcr.io/x/y:1", ImageID: id, RestartCount: restarts,
			LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}},
		}}
		return p
	}
	ref := domain.Ref{Kind: "Pod", Namespace: "media", Name: "immich-0"}
	pulled := domain.ImagePulled{Pod: ref, Container: "app", Image: "ghcr.io/x/y:1", ID: "sha256:0", Node: "k8s-1"}
	again := domain.PodRestarted{Pod: ref, Container: "app", Restarts: 2, ExitCode: 137, Reason: "OOMKilled"}
	var got [][]domain.Event
	for _, p := range []*corev1.Pod{pod("", 0), pod("sha256:0", 0), pod("sha256:0", 0), pod("sha256:0", 2)} {
		w.see(podKind, p)
		got = append(got, timeless(w.heard()))
	}
	want := [][]domain.Event{nil, {pulled}, nil, {again}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// timeless drops the times of events.
func timeless(list []domain.Event) []domain.Event {
	for i, e := range list {
		switch e := e.(type) {
		case domain.ImagePulled:
			e.Time = time.Time{}
			list[i] = e
		case domain.PodRestarted:
			e.Time = time.Time{}
			list[i] = e
		case domain.DependencyBlocked:
			e.Time = time.Time{}
			list[i] = e
		}
	}
	return list
}

func TestNoticesWhatBlocks(t *testing.T) {
	w := newInformed()
	w.OnEvent(func(domain.Event) {})
	blocked := func(message string) metav1.Condition {
		c := is(metav1.ConditionFalse, "DependencyNotReady", message)
		c.Message = message
		return c
	}
	events := 0
	for _, c := range []metav1.Condition{
		blocked("dependency 'a' is not ready"), blocked("dependency 'a' is not ready"), blocked("dependency 'b' is not ready"),
		is(metav1.ConditionUnknown, "Progressing", ""), blocked("dependency 'b' is not ready"),
	} {
		w.see(kustomizationKind, kustomization("apps", c))
		for _, e := range w.heard() {
			if b, ok := e.(domain.DependencyBlocked); ok && b.Object.Name == "apps" && b.Reason != "" {
				events++
			}
		}
	}
	if events != 3 {
		t.Errorf("%d events, want 3", events)
	}
}

// TestTellsDriftFromANewRevision holds that what kustomize-controller applies is
// drift only where it had applied the same revision before.
func TestTellsDriftFromANewRevision(t *testing.T) {
	w := newInformed()
	k := kustomization("apps", is(metav1.ConditionTrue, "", ""))
	k.Status.LastAppliedRevision = "main@sha1:1"
	w.see(kustomizationKind, k)
	event := func(reason, revision, message string, after time.Duration) *corev1.Event {
		e := &corev1.Event{Reason: reason, Message: message, LastTimestamp: metav1.NewTime(w.clock.Add(after))}
		e.InvolvedObject = corev1.ObjectReference{Kind: "Kustomization", Namespace: k.Namespace, Name: k.Name}
		e.Annotations = map[string]string{annotationRevision: revision}
		return e
	}
	const changed = "Deployment/media/immich configured"
	for _, test := range []struct {
		name  string
		event *corev1.Event
		want  bool
	}{
		{"named", event("DriftCorrected", "", "x", 0), true},
		{"the same revision, later", event("Progressing", "main@sha1:1", changed, time.Minute), true},
		{"its first apply, told late", event("Progressing", "main@sha1:1", changed, time.Second), false},
		{"another revision", event("Progressing", "main@sha1:2", changed, time.Minute), false},
		{"nothing changed", event("Progressing", "main@sha1:1", "Health check passed", time.Minute), false},
	} {
		if _, got := w.corrected(test.event); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
