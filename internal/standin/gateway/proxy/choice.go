package proxy

import (
	"net/http"
	"net/url"
	"sync/atomic"
)

// noRequest stands for a connection where a request is asked for.
var noRequest = &http.Request{Method: http.MethodConnect, URL: &url.URL{Path: "/"}}

// Weighted is a backend and its share of the requests.
type Weighted struct {
	// Backend is nil for one that cannot be had, for example since its Service
	// is not there: its share is answered with 500.
	Backend Backend
	Weight  int32
	filters []filter
}

// Choice spreads requests over backends by their weights. It may be used
// concurrently.
type Choice struct {
	backends []Weighted
	total    uint64
	stride   uint64
	turn     atomic.Uint64
}

// NewChoice returns a choice among backends.
func NewChoice(backends []Weighted) *Choice {
	c := &Choice{}
	for _, b := range backends {
		if b.Weight > 0 {
			c.backends = append(c.backends, b)
			c.total += uint64(b.Weight)
		}
	}
	c.stride = strideOf(c.total)
	return c
}

// strideOf returns a step of about the golden section that visits all of n
// places before it visits one again, so that turns are spread evenly and yet
// can be repeated.
func strideOf(n uint64) uint64 {
	stride := max(n*618/1000, 1)
	for gcd(stride, n) > 1 {
		stride++
	}
	return stride
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// next returns the backend whose turn it is; nil where none has a weight.
func (c *Choice) next() *Weighted {
	if c.total == 0 {
		return nil
	}
	at := (c.turn.Add(1) - 1) % c.total * c.stride % c.total
	for i := range c.backends {
		weight := uint64(c.backends[i].Weight)
		if at < weight {
			return &c.backends[i]
		}
		at -= weight
	}
	return nil
}

// endpoint returns an endpoint of the backend whose turn it is. It is nil where
// there is none; the code says why.
func (c *Choice) endpoint() (Endpoint, int) {
	b := c.next()
	if b == nil || b.Backend == nil {
		return nil, http.StatusInternalServerError
	}
	if e := b.Backend.Endpoint(); e != nil {
		return e, 0
	}
	return nil, http.StatusServiceUnavailable
}
