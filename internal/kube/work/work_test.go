package work_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/work"
)

func TestGateBoundsWhatWorksAtOnce(t *testing.T) {
	gate := work.NewGate(2)
	var now, most atomic.Int32
	slow := reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
		most.Store(max(most.Load(), now.Add(1)))
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
		return reconcile.Result{}, nil
	})
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			if _, err := work.Reconciler(gate, slow).Reconcile(t.Context(), reconcile.Request{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := most.Load(); got != 2 {
		t.Errorf("%d reconciles ran at once, want 2", got)
	}
	if got := gate.Busy(); got != 0 {
		t.Errorf("the gate says %d are busy after all ended", got)
	}
}

func TestAsideGivesTheSlotToOthers(t *testing.T) {
	gate := work.NewGate(1)
	ctx, leave, err := gate.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	err = work.Aside(ctx, func(ctx context.Context) error {
		if got := gate.Busy(); got != 0 {
			t.Errorf("busy is %d while the only work waits for others", got)
		}
		_, leaveOther, err := gate.Enter(ctx)
		if err != nil {
			return err
		}
		leaveOther()
		return work.Aside(ctx, func(context.Context) error { return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := gate.Busy(); got != 1 {
		t.Errorf("busy is %d after the slot was taken again, want 1", got)
	}
}

func TestEnterEndsWithItsContext(t *testing.T) {
	gate := work.NewGate(1)
	_, leave, err := gate.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := gate.Enter(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Enter says %v, want that its context was canceled", err)
	}
}

func TestQuietWaitsForTimersAndChanges(t *testing.T) {
	gate := work.NewGate(1)
	const long = 30 * time.Millisecond
	done := gate.Timer()
	quiet := make(chan time.Time, 1)
	go func() {
		if gate.Quiet(t.Context(), long) == nil {
			quiet <- time.Now()
		}
	}()
	select {
	case <-quiet:
		t.Fatal("quiet while a simulated duration runs")
	case <-time.After(2 * long):
	}
	done()
	done()
	gate.Touch()
	touched := time.Now()
	if at := <-quiet; at.Sub(touched) < long {
		t.Errorf("quiet %v after a change, want at least %v", at.Sub(touched), long)
	}
}

func TestBackoffDoublesToItsLimit(t *testing.T) {
	var backoff work.Backoff[string]
	want := []time.Duration{1, 2, 4, 5, 5}
	for i, seconds := range want {
		if got := backoff.Next("a", 5*time.Second); got != seconds*time.Second {
			t.Errorf("wait %d is %v, want %v", i, got, seconds*time.Second)
		}
	}
	backoff.Forget("a")
	if got := backoff.Next("a", time.Minute); got != time.Second {
		t.Errorf("after a success the wait is %v, want 1s", got)
	}
}
