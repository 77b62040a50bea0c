package observe

import (
	"context"

	"hearth/internal/domain"
)

// subscriber is told the transitions after so many.
type subscriber struct {
	tell  func(Transition)
	after uint64
}

// posted is a transition, and how many there have been with it.
type posted struct {
	Transition
	number uint64
}

// replay is what a new subscriber has missed.
type replay struct {
	subscriber
	missed []Transition
}

// post queues a posted transition, a replay or an event for delivery.
func (w *Watcher) post(message any) {
	if len(w.outbox) == maxUndelivered {
		w.outbox = w.outbox[1:]
	}
	w.outbox = append(w.outbox, message)
	w.rouse()
}

// changed tells whoever waits on Changes.
func (w *Watcher) changed() {
	for ch := range w.changes {
		signal(ch)
	}
}

// rouse wakes the delivery.
func (w *Watcher) rouse() { signal(w.wake) }

// signal leaves a value in a channel that holds one, unless one waits there.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// deliver calls the subscribers, in the order of what happened, and follows
// the kinds of owners that were met, until ctx ends.
func (w *Watcher) deliver(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		}
		w.mu.Lock()
		messages, kinds := w.outbox, w.wanted
		w.outbox, w.wanted = nil, nil
		subscribers, listeners := w.subscribers, w.listeners
		w.mu.Unlock()

		for _, message := range messages {
			switch m := message.(type) {
			case posted:
				for _, s := range subscribers {
					if m.number > s.after {
						s.tell(m.Transition)
					}
				}
			case replay:
				for _, t := range m.missed {
					m.tell(t)
				}
			case domain.Event:
				for _, f := range listeners {
					f(m)
				}
			}
		}
		for _, kind := range kinds {
			// An owner's kind that is not served, or may not be read, leaves
			// the owner unknown; that is what Snapshot then says.
			go func() { _ = w.objects.Follow(ctx, kind) }()
		}
	}
}
