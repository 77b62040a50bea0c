package proxy

import (
	"context"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// maxAttempts bounds how often a request is tried again.
const maxAttempts = 10

// retry says when a request is tried again. The zero value is never.
type retry struct {
	attempts int // after the first
	backoff  time.Duration
	codes    []int
}

func newRetry(r *gatewayv1.HTTPRouteRetry) retry {
	if r == nil {
		return retry{}
	}
	policy := retry{attempts: 1, backoff: duration(r.Backoff)}
	if r.Attempts != nil {
		policy.attempts = min(max(*r.Attempts, 0), maxAttempts)
	}
	for _, code := range r.Codes {
		policy.codes = append(policy.codes, int(code))
	}
	return policy
}

// pause waits before the next try; false means that there is no time left.
func (r retry) pause(ctx context.Context) bool {
	if r.backoff <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(r.backoff)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
