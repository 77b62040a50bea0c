package domain

import (
	"context"
	"slices"
	"sync"
)

// Faults are the faults that are on at the moment. Whoever plays a part asks
// for those that concern it each time it acts, and follows Changes to notice
// that one was lifted. The zero value, and nil, have none. All methods may be
// called concurrently.
type Faults struct {
	mu       sync.Mutex
	active   []Fault
	watchers map[chan struct{}]bool
}

// Inject lets a fault begin; one that is on already stays so.
func (f *Faults) Inject(fault Fault) {
	f.change(func() {
		if !slices.Contains(f.active, fault) {
			f.active = append(f.active, fault)
		}
	})
}

// Lift ends a fault; one that is not on is none.
func (f *Faults) Lift(fault Fault) {
	f.change(func() {
		f.active = slices.DeleteFunc(f.active, func(a Fault) bool { return a == fault })
	})
}

func (f *Faults) change(apply func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	apply()
	for ch := range f.watchers {
		select {
		case ch <- struct{}{}:
		default: // told already
		}
	}
}

// Active returns the faults that are on, in the order in which they began.
func (f *Faults) Active() []Fault {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.active)
}

// Of returns the faults of a kind that are on.
func (f *Faults) Of(kind FaultKind) []Fault {
	return slices.DeleteFunc(f.Active(), func(a Fault) bool { return a.Kind != kind })
}

// On reports whether a fault of the kind is on that concerns any of the names;
// see [Fault.Befalls].
func (f *Faults) On(kind FaultKind, names ...string) bool {
	return slices.ContainsFunc(f.Of(kind), func(a Fault) bool { return a.Befalls(names...) })
}

// Changes returns a channel that gets a value, never more than one at a time,
// after a fault has begun or was lifted, and a function that ends it.
func (f *Faults) Changes() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	if f == nil {
		return ch, func() {}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watchers == nil {
		f.watchers = map[chan struct{}]bool{}
	}
	f.watchers[ch] = true
	return ch, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.watchers, ch)
	}
}

// Follow calls changed after faults have begun or were lifted, until ctx ends.
func (f *Faults) Follow(ctx context.Context, changed func(context.Context)) {
	changes, end := f.Changes()
	defer end()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changes:
			changed(ctx)
		}
	}
}
