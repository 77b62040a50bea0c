package observe

import (
	"context"

	"hearth/internal/domain"
)

// post queues a Transition or an Event for the subscribers.
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
			case Transition:
				for _, f := range subscribers {
					f(m)
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
