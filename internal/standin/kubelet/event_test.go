package kubelet

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// kubectl tells the events of one second in the order of their names.
func TestEventsAreNamedInTheirOrder(t *testing.T) {
	w := newWorld(t)
	w.live(t, "app", nil).until("ready", isReady)
	w.events.mu.Lock()
	defer w.events.mu.Unlock()
	var list []*corev1.Event
	for _, r := range w.events.records {
		list = append(list, r.event)
	}
	slices.SortFunc(list, func(a, b *corev1.Event) int { return strings.Compare(a.Name, b.Name) })
	var got []string
	for _, e := range list {
		got = append(got, e.Reason)
	}
	if diff := cmp.Diff([]string{"Pulling", "Pulled", "Created", "Started"}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
