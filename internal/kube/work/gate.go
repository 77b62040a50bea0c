// Package work bounds how much a cluster's reconcilers and stand-ins do at
// once, and knows whether any of them still makes progress.
//
// A reconciler holds a slot while it computes or talks to a server, and gives
// it up while it waits for others, so that a hundred releases may wait for
// their pods while two render. A rehearsal has settled when no slot is held or
// asked for, no simulated duration runs, and nothing changed for a while. A
// retry that changes nothing is no progress, however often it happens.
package work

import (
	"context"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Gate hands out slots. Its methods may be called concurrently. A nil Gate
// bounds nothing and is never busy.
type Gate struct {
	slots chan struct{}

	mu     sync.Mutex
	busy   int
	last   time.Time
	notify chan struct{}
}

// NewGate returns a gate with so many slots, at least one.
func NewGate(slots int) *Gate {
	return &Gate{
		slots:  make(chan struct{}, max(slots, 1)),
		last:   time.Now(),
		notify: make(chan struct{}),
	}
}

type slotKey struct{}

// longWork is how long a slot is held by work whose end counts as a change,
// since what it wrote may still be on its way to those who watch.
const longWork = time.Second

// Enter waits for a slot. It returns a context that Aside understands and a
// function that gives the slot back, to be called once. Asking counts as being
// busy.
func (g *Gate) Enter(ctx context.Context) (context.Context, func(), error) {
	if g == nil {
		return ctx, func() {}, nil
	}
	g.add(1)
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		g.add(-1)
		return ctx, nil, ctx.Err()
	}
	entered := time.Now()
	leave := func() {
		<-g.slots
		if time.Since(entered) > longWork {
			g.Touch()
		}
		g.add(-1)
	}
	return context.WithValue(ctx, slotKey{}, g), leave, nil
}

// Aside gives up the slot that ctx holds while wait runs, and takes one again
// before it returns. Without a slot in ctx it just calls wait. The context
// given to wait holds no slot.
func Aside(ctx context.Context, wait func(context.Context) error) error {
	g, _ := ctx.Value(slotKey{}).(*Gate)
	if g == nil {
		return wait(ctx)
	}
	<-g.slots
	g.add(-1)
	err := wait(context.WithValue(ctx, slotKey{}, (*Gate)(nil)))
	g.add(1)
	g.slots <- struct{}{}
	return err
}

// Timer says that a simulated duration runs, which counts as progress but
// takes no slot. The function returned ends it, and may be called twice.
func (g *Gate) Timer() (done func()) {
	if g == nil {
		return func() {}
	}
	g.add(1)
	return sync.OnceFunc(func() {
		g.Touch()
		g.add(-1)
	})
}

// Touch says that something in the cluster changed.
func (g *Gate) Touch() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = time.Now()
}

// Busy returns how many slots are held or asked for and how many timers run.
func (g *Gate) Busy() int {
	if g == nil {
		return 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.busy
}

// Quiet returns when nothing was busy and nothing changed for so long, or
// with the context's error.
func (g *Gate) Quiet(ctx context.Context, long time.Duration) error {
	if g == nil {
		return ctx.Err()
	}
	for {
		left, changed := g.quietIn(long)
		if left <= 0 {
			return ctx.Err()
		}
		timer := time.NewTimer(left)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-changed:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// quietIn returns after which time the gate has been quiet for long, and a
// channel that closes when it turns idle. While it is busy the time is a bound
// on how long to wait for that.
func (g *Gate) quietIn(long time.Duration) (time.Duration, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy > 0 {
		return time.Hour, g.notify
	}
	return long - time.Since(g.last), nil
}

func (g *Gate) add(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy += n
	if n < 0 && g.busy == 0 {
		close(g.notify)
		g.notify = make(chan struct{})
	}
}

// Reconciler lets every call of inner hold a slot of the gate.
func Reconciler(g *Gate, inner reconcile.Reconciler) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
		ctx, leave, err := g.Enter(ctx)
		if err != nil {
			return reconcile.Result{}, err
		}
		defer leave()
		return inner.Reconcile(ctx, req)
	})
}
