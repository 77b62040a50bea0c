package notification

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

// TestAFullQueueBlocksNobody would hang if it did.
func TestAFullQueueBlocksNobody(t *testing.T) {
	q := newQueue(nil, Options{Repeat: 1})
	for range maxEvents + 7 {
		q.Dispatch(Event{Event: *sampleEvent()})
	}
	if got := q.dropped.Load(); got != 7 {
		t.Errorf("%d events were dropped, want 7", got)
	}
}

func TestAFullLaneKeepsTheNewest(t *testing.T) {
	q := newQueue(nil, Options{Repeat: 1})
	alert := types.NamespacedName{Name: "all"}
	q.lanes[alert] = nil // somebody works on it
	var last *message
	for range maxWaiting + 3 {
		last = &message{alert: alert}
		q.add(t.Context(), last)
	}
	waiting := q.lanes[alert]
	if len(waiting) != maxWaiting || waiting[len(waiting)-1] != last || q.dropped.Load() != 3 {
		t.Errorf("%d wait, %d were dropped, want %d and 3", len(waiting), q.dropped.Load(), maxWaiting)
	}
}
