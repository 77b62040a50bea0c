package proxy

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

const (
	maxMirrored    = 64 << 10 // bytes of a body
	maxMirrors     = 64       // under way at once
	mirrorTimeout  = 15 * time.Second
	mirrorAccuracy = 1000 // parts into which the share of requests is divided
)

// mirrors bounds how many copies are under way.
var mirrors = make(chan struct{}, maxMirrors)

// mirror sends a copy of the requests, or of a share of them, to another
// backend, whose answer nobody sees. A body of more than 64 KiB is not copied,
// and so its request is not.
func mirror(f *gatewayv1.HTTPRequestMirrorFilter, find Find) filter {
	backend := find(f.BackendRef)
	share := shareOf(f)
	stride := strideOf(mirrorAccuracy)
	var turn atomic.Uint64
	return func(x *exchange) bool {
		at := (turn.Add(1) - 1) % mirrorAccuracy * stride % mirrorAccuracy
		if backend != nil && at < share {
			copyTo(backend, x)
		}
		return false
	}
}

func shareOf(f *gatewayv1.HTTPRequestMirrorFilter) uint64 {
	switch {
	case f.Percent != nil:
		return uint64(max(*f.Percent, 0)) * mirrorAccuracy / 100
	case f.Fraction != nil:
		of := int64(100)
		if f.Fraction.Denominator != nil && *f.Fraction.Denominator > 0 {
			of = int64(*f.Fraction.Denominator)
		}
		return uint64(max(int64(f.Fraction.Numerator), 0) * mirrorAccuracy / of)
	}
	return mirrorAccuracy
}

func copyTo(backend Backend, x *exchange) {
	body, ok := x.body()
	if !ok {
		return
	}
	select {
	case mirrors <- struct{}{}:
	default:
		return // the original matters more
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.request.Context()), mirrorTimeout)
	r := x.request.Clone(ctx)
	r.Body = io.NopCloser(bytes.NewReader(body))
	go func() {
		defer func() { cancel(); <-mirrors }()
		if e := backend.Endpoint(); e != nil {
			e.ServeHTTP(&unheard{header: http.Header{}}, r)
		}
	}()
}

// body returns a copy of the request's body, which can still be read; ok is
// false for one that is too long or of unknown length.
func (x *exchange) body() (body []byte, ok bool) {
	if x.repeatable() {
		return nil, true
	}
	if n := x.request.ContentLength; n < 0 || n > maxMirrored {
		return nil, false
	}
	body, err := io.ReadAll(io.LimitReader(x.request.Body, maxMirrored))
	x.request.Body = io.NopCloser(bytes.NewReader(body))
	return body, err == nil
}

// unheard is an answer that nobody gets.
type unheard struct{ header http.Header }

func (u *unheard) Header() http.Header         { return u.header }
func (u *unheard) Write(b []byte) (int, error) { return len(b), nil }
func (u *unheard) WriteHeader(int)             {}
