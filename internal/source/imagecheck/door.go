package imagecheck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"hearth/internal/source/guard"
)

// Bounds of the requests to one registry.
const (
	atOnce     = 4                     // look-ups at a time
	every      = 50 * time.Millisecond // from request to request
	burst      = 20                    // requests that need not wait for that
	leaveAlone = time.Minute           // after it refused a request as too many
	maxAnswer  = 8 << 20               // bytes of a manifest or an image's configuration
)

// errLeftAlone says that a registry is not asked for a while.
var errLeftAlone = errors.New("the registry has refused requests as too many, and is left alone for a while")

// door is the one way to a registry, and to the server that gives out its
// tokens. It is an http.RoundTripper, and bounds how many requests go through.
// Its methods may be called concurrently.
type door struct {
	inner http.RoundTripper
	turns chan struct{}

	mu     sync.Mutex
	shut   time.Time // until when the registry is left alone
	earned time.Time // when all requests so far are paid for, at one every so often
}

func newDoor(registry name.Registry, refusePrivate bool) *door {
	at := &url.URL{Scheme: registry.Scheme(), Host: registry.RegistryStr()}
	return &door{inner: guard.New(at, refusePrivate).Transport(nil, nil), turns: make(chan struct{}, atOnce)}
}

// enter waits for a look-up's turn; leave ends it.
func (d *door) enter(ctx context.Context) (leave func(), err error) {
	select {
	case d.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	leave = func() { <-d.turns }
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Now().Before(d.shut) {
		leave()
		return nil, errLeftAlone
	}
	return leave, nil
}

// leaveAlone keeps everybody away for a while.
func (d *door) leaveAlone(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = now.Add(leaveAlone)
}

// wait returns how long the next request has to wait for the sake of the rate.
func (d *door) wait(now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.earned.Before(now) {
		d.earned = now
	}
	d.earned = d.earned.Add(every)
	return max(d.earned.Sub(now)-burst*every, 0)
}

// RoundTrip implements http.RoundTripper. Answers that are larger than any
// manifest are refused.
func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	timer := time.NewTimer(d.wait(time.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	resp, err := d.inner.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if r.Method != http.MethodHead && resp.ContentLength > maxAnswer {
		resp.Body.Close()
		return nil, fmt.Errorf("%s answers with %d bytes, more than %d", r.URL.Host, resp.ContentLength, maxAnswer)
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}
