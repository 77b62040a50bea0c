package observe

import (
	"context"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// askAgain is how often kinds that may not be read are asked for again.
const askAgain = time.Minute

// follow follows the observed kinds until ctx ends. Where definitions are
// missing it waits for new ones and tries again; where kinds may not be read it
// asks again from time to time.
func (w *Watcher) follow(ctx context.Context) error {
	missing, err := w.followAll(ctx, lookedUpKinds)
	if err != nil {
		return ended(ctx, err)
	}
	w.reveal()
	further, err := w.followAll(ctx, w.told())
	if err == nil && w.arrived != nil {
		w.arrived()
	}
	if missing = append(missing, further...); err != nil || len(missing) == 0 {
		return ended(ctx, err)
	}
	if _, err := w.followAll(ctx, []schema.GroupVersionKind{definitionKind}); err != nil {
		return ended(ctx, err)
	}
	for {
		if missing, err = w.followAll(ctx, missing); err != nil || len(missing) == 0 {
			return ended(ctx, err)
		}
		w.reveal()
		select {
		case <-ctx.Done():
			return nil
		case <-w.defined:
		case <-w.later():
		}
	}
}

// told are the kinds that are told of, and those that own their objects.
func (w *Watcher) told() []schema.GroupVersionKind {
	if w.wide {
		return slices.Concat(toldKinds, FurtherKinds)
	}
	return toldKinds
}

// later tells when to ask again for what may not be read, nor whose
// definitions can be watched; never where all may be.
func (w *Watcher) later() <-chan time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.closed) == 0 {
		return nil
	}
	return time.After(askAgain)
}

// followAll follows kinds, all at once, and returns those that the cluster does
// not serve, or that may not be read.
func (w *Watcher) followAll(ctx context.Context, kinds []schema.GroupVersionKind) (missing []schema.GroupVersionKind, err error) {
	results := make([]error, len(kinds))
	var following sync.WaitGroup
	for i, kind := range kinds {
		following.Go(func() { results[i] = w.followKind(ctx, kind) })
	}
	following.Wait()
	for i, kind := range kinds {
		w.close(kind, results[i])
		switch {
		case results[i] == nil:
		case notServed(results[i]), apierrors.IsForbidden(results[i]):
			missing = append(missing, kind)
		default:
			return nil, results[i]
		}
	}
	return missing, nil
}

func (w *Watcher) followKind(ctx context.Context, kind schema.GroupVersionKind) error {
	if w.probe != nil && !w.objects.Followed(kind) {
		if err := w.probe(ctx, kind); err != nil {
			return err
		}
	}
	return w.objects.Follow(ctx, kind)
}

// close notes whether a kind may not be read, and tells it the first time.
func (w *Watcher) close(kind schema.GroupVersionKind, err error) {
	closed := apierrors.IsForbidden(err)
	w.mu.Lock()
	was, shut := w.closed[kind], w.shut
	if closed {
		w.closed[kind] = true
	} else if err == nil {
		delete(w.closed, kind)
	}
	w.mu.Unlock()
	if closed && !was && shut != nil {
		shut(kind.Kind)
	}
}

// onClosed calls f for each kind that may not be read. It is called before
// Start.
func (w *Watcher) onClosed(f func(kind string)) { w.shut = f }

// OnArrived calls f once all that the cluster has of the observed kinds is
// known. It is called before Start.
func (w *Watcher) OnArrived(f func()) { w.arrived = f }

// Closed returns the kinds that may not be read, in order.
func (w *Watcher) Closed() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := []string{}
	for kind := range w.closed {
		list = append(list, kind.Kind)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
