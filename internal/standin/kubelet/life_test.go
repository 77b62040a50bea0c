package kubelet

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"hearth/internal/domain"
	"hearth/internal/standin/image"
)

// world is a kubelet at real pace on a clock that the test moves.
type world struct {
	*kubelet
	now time.Time
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	o := Options{
		Pace: domain.RealPace, BackoffPace: domain.RealPace, Seed: 1, Version: "v1.0.0",
		Nodes: []Node{{Name: "one"}}, Faults: &domain.Faults{}, Assumptions: &domain.Assumptions{},
		Simulated: func(domain.Ref, string, time.Duration) {},
	}
	nodes, err := newNodeSet(o, netip.MustParsePrefix("10.244.0.0/16"))
	if err != nil {
		t.Fatal(err)
	}
	c := fake.NewClientBuilder().WithObjects(objects...).Build()
	return &world{now: time.Now(), kubelet: &kubelet{
		Options: o, client: c, reader: c, nodes: nodes, stock: image.NewStock(o.Pace, o.Seed),
		plays: newPlays(), queue: &queue{}, evicts: newEvictions(), wakes: newWakes(), events: newEventWriter(c, logr.Discard()),
	}}
}

// fault lets something go wrong, and returns what lifts it.
func (w *world) fault(t *testing.T, text string) (lift func()) {
	t.Helper()
	f, err := domain.ParseFault(text)
	if err != nil {
		t.Fatal(err)
	}
	w.Faults.Inject(f)
	return func() { w.Faults.Lift(f) }
}

// life is one pod in that world.
type life struct {
	*world
	t    *testing.T
	pod  *corev1.Pod
	play *play
}

// live brings a pod of one container, and of what change adds, to the node.
func (w *world) live(t *testing.T, name string, change func(*corev1.Pod)) *life {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "home", Name: name, UID: types.UID("uid-of-" + name)},
		Spec: corev1.PodSpec{
			NodeName: "one", RestartPolicy: corev1.RestartPolicyAlways,
			Containers: []corev1.Container{{Name: "app", Image: "example.org/app:1"}},
		},
	}
	if change != nil {
		change(pod)
	}
	return &life{world: w, t: t, pod: pod, play: newPlay(pod)}
}

// step walks the pod until it waits, and returns for what.
func (l *life) step() outcome {
	l.t.Helper()
	for range 100 {
		next, err := l.kubelet.step(l.t.Context(), l.pod, l.play, l.now)
		if err != nil {
			l.t.Fatal(err)
		}
		if next.kind != goOn && (next.kind == blocked || next.until.After(l.now)) {
			return next
		}
	}
	l.t.Fatal("the pod never comes to rest")
	return outcome{}
}

// until moves the clock from wait to wait until ok says so, for a day at most.
func (l *life) until(what string, ok func(*corev1.PodStatus) bool) *corev1.PodStatus {
	l.t.Helper()
	for end := l.now.Add(24 * time.Hour); l.now.Before(end); {
		next := l.step()
		if s := l.status(l.pod, l.play, l.now); ok(s) {
			return s
		}
		if next.kind == blocked {
			break
		}
		l.now = next.until
	}
	l.t.Fatalf("the pod is never %s: %+v", what, l.status(l.pod, l.play, l.now))
	return nil
}

// after moves the clock on, whatever the pod waits for.
func (l *life) after(d time.Duration) *corev1.PodStatus {
	l.t.Helper()
	for end := l.now.Add(d); ; {
		next := l.step()
		if next.kind == blocked || next.until.After(end) {
			l.now = end
			return l.status(l.pod, l.play, l.now)
		}
		l.now = next.until
	}
}

// said reports whether there was an event of a reason with a text in it.
func (w *world) said(reason, text string) bool {
	w.events.mu.Lock()
	defer w.events.mu.Unlock()
	for id := range w.events.records {
		if id.reason == reason && strings.Contains(id.message, text) {
			return true
		}
	}
	return false
}

// waits returns why a container waits, or "".
func waits(s *corev1.PodStatus, name string) string {
	for _, c := range slices.Concat(s.InitContainerStatuses, s.ContainerStatuses) {
		if c.Name == name && c.State.Waiting != nil {
			return c.State.Waiting.Reason
		}
	}
	return ""
}

func isReady(s *corev1.PodStatus) bool {
	return slices.ContainsFunc(s.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
