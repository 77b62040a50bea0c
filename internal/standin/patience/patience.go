// Package patience holds back what a stand-in would have to make up until
// nothing else makes progress: a storage class that seems missing may be in a
// chart that is still to be installed, and must not be assumed before that.
package patience

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"hearth/internal/kube/work"
)

// Calm is how long nothing may happen before something is made up. Whoever
// waits for a cluster to settle has to wait longer than this.
const Calm = time.Second

// List holds what is stuck, by key, and what would help. The zero value is
// not usable; see New. Its methods may be called concurrently.
type List struct {
	gate *work.Gate
	fail func(key string, err error)
	wake chan struct{}

	mu    sync.Mutex
	stuck map[string]func(context.Context) error
}

// New returns an empty list. Errors of what is run are handed to fail, with
// the key; the key is stuck no more then, unless it is added again.
func New(gate *work.Gate, fail func(key string, err error)) *List {
	return &List{gate: gate, fail: fail, wake: make(chan struct{}, 1), stuck: map[string]func(context.Context) error{}}
}

// Add says that key is stuck, and what to do if it still is once all is calm.
// A later call with the same key replaces what to do; the first one counts as
// a change in the cluster.
func (l *List) Add(key string, help func(context.Context) error) {
	l.mu.Lock()
	_, known := l.stuck[key]
	l.stuck[key] = help
	l.mu.Unlock()
	if !known {
		l.gate.Touch()
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Remove says that key is stuck no more.
func (l *List) Remove(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.stuck, key)
}

// Start runs until ctx is cancelled: it helps, in the keys' order, whenever
// the gate has been calm and something is stuck.
func (l *List) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.wake:
		}
		if err := l.gate.Quiet(ctx, Calm); err != nil {
			return nil
		}
		l.help(ctx)
	}
}

func (l *List) help(ctx context.Context) {
	ctx, leave, err := l.gate.Enter(ctx)
	if err != nil {
		return
	}
	defer leave()
	for _, s := range l.take() {
		if err := s.help(ctx); err != nil && !errors.Is(err, context.Canceled) {
			l.fail(s.key, err)
		}
	}
}

type stuck struct {
	key  string
	help func(context.Context) error
}

func (l *List) take() []stuck {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := make([]stuck, 0, len(l.stuck))
	for key, help := range l.stuck {
		taken = append(taken, stuck{key, help})
	}
	clear(l.stuck)
	slices.SortFunc(taken, func(a, b stuck) int { return cmp.Compare(a.key, b.key) })
	return taken
}
