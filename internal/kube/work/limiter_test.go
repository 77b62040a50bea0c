package work_test

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/work"
)

func TestLimiterStaysNear(t *testing.T) {
	limiter, before := work.Limiter(), time.Duration(0)
	for range 100 {
		wait := limiter.When(reconcile.Request{})
		if wait < before || wait <= 0 || wait > 10*time.Second {
			t.Fatalf("after %s it waits %s", before, wait)
		}
		before = wait
	}
	limiter.Forget(reconcile.Request{})
	if wait := limiter.When(reconcile.Request{}); wait >= before {
		t.Errorf("after a success it waits %s", wait)
	}
}
