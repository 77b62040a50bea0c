package proxy

import (
	"context"
	"fmt"
	"net/http"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/kube/routing"
)

// Rule is a rule of a route, ready to be followed.
type Rule struct {
	name           string // for answers of the gateway's own
	filters        []filter
	choice         *Choice
	timeout        time.Duration // of the request; 0 is none
	backendTimeout time.Duration // of each try
	retry          retry
}

// Find returns the backend for a reference of a rule; nil where it cannot be had.
type Find func(ref gatewayv1.BackendObjectReference) Backend

// NewRule makes a rule of a route followable.
func NewRule(r routing.Rule, find Find) *Rule {
	rule := &Rule{
		name:    fmt.Sprintf("%s %s/%s", r.Kind, r.Route.GetNamespace(), r.Route.GetName()),
		filters: newFilters(r.Filters, find),
		retry:   newRetry(r.Retry),
	}
	var backends []Weighted
	for _, b := range r.Backends {
		weight := int32(1)
		if b.Weight != nil {
			weight = *b.Weight
		}
		backends = append(backends, Weighted{Backend: find(b.BackendObjectReference), Weight: weight, filters: newFilters(b.Filters, find)})
	}
	rule.choice = NewChoice(backends)
	if t := r.Timeouts; t != nil {
		rule.timeout, rule.backendTimeout = duration(t.Request), duration(t.BackendRequest)
	}
	return rule
}

// duration reads one of the Gateway API; what cannot be read is none.
func duration(d *gatewayv1.Duration) time.Duration {
	if d == nil {
		return 0
	}
	parsed, err := time.ParseDuration(string(*d))
	if err != nil || parsed < 0 {
		return 0
	}
	return parsed
}

// serve answers a request by the rule.
func (rule *Rule) serve(w http.ResponseWriter, r *http.Request, l *Listener, match *routing.Match) {
	ctx := r.Context()
	if rule.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, rule.timeout)
		defer cancel()
	}
	x := newExchange(ctx, w, r, l, match)
	for _, f := range rule.filters {
		if f(x) {
			return
		}
	}
	rule.forward(ctx, x)
}

// forward hands the request to a backend, and to another where it is tried again.
func (rule *Rule) forward(ctx context.Context, x *exchange) {
	for try := 0; ; try++ {
		last := try >= rule.retry.attempts || !x.repeatable()
		b := rule.choice.next()
		if b == nil || b.Backend == nil {
			fail(x.reply(), http.StatusInternalServerError, "the "+rule.name+" leads to no backend that there is")
			return
		}
		if rule.try(ctx, x, b, last) {
			return
		}
		if !rule.retry.pause(ctx) {
			fail(x.reply(), http.StatusGatewayTimeout, "no backend answered in time")
			return
		}
	}
}

// try asks one backend. It reports whether that answered in a way that stands.
func (rule *Rule) try(ctx context.Context, x *exchange, b *Weighted, last bool) bool {
	if rule.backendTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, rule.backendTimeout)
		defer cancel()
	}
	x = x.again(ctx)
	for _, f := range b.filters {
		if f(x) {
			return true
		}
	}
	w := x.reply()
	if !last {
		w.refused = rule.retry.codes
	}
	endpoint := b.Backend.Endpoint()
	if endpoint == nil {
		fail(w, http.StatusServiceUnavailable, "no endpoint is ready behind the "+rule.name)
		return !w.refusedOne
	}
	endpoint.ServeHTTP(w, x.request)
	if !w.wrote && !w.refusedOne && ctx.Err() != nil {
		if !last {
			return false
		}
		fail(w, http.StatusGatewayTimeout, "the backend did not answer in time")
	}
	return !w.refusedOne
}
