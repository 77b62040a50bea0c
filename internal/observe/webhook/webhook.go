// Package webhook delivers what happened to a URL, one request each, in order.
// What waits is bounded, and so is every try; a receiver that is down for a
// while misses nothing that the queue holds, and one that is down for longer
// misses the oldest, which are counted. Requests are signed where a key is
// given. Where they go is the user's word: redirects are not followed.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"hearth/internal/domain"
)

// SignatureHeader holds "sha256=" and the HMAC of the body in hexadecimal, as a
// Receiver of type generic-hmac of Flux wants it.
const SignatureHeader = "X-Signature"

const (
	defaultQueue = 1024
	defaultTries = 10
	firstWait    = time.Second
	longestWait  = time.Minute
	tryTimeout   = 10 * time.Second
	maxAnswer    = 64 << 10 // bytes that are read of an answer
)

// Options say where to deliver.
type Options struct {
	URL         string
	ContentType string
	// Key signs the requests; none is signed where it is empty.
	Key []byte
	// Queue is how many may wait (1024), Tries how often each is tried (10).
	Queue, Tries int
	// FirstWait is the wait before the second try (1 s); each further one
	// doubles, up to a minute.
	FirstWait time.Duration
	// Failed, where set, is told of what was not delivered, and why.
	Failed func(error)
}

// Stats say how the deliveries went.
type Stats struct{ Delivered, Failed, Dropped, Retried, Waiting int }

// Sender delivers to one URL. Its methods may be called concurrently.
type Sender struct {
	options Options
	where   string // without what may be secret of it
	client  *http.Client
	wake    chan struct{}

	mu    sync.Mutex
	queue [][]byte
	stats Stats
}

// New returns a sender, which delivers once it runs.
func New(o Options) (*Sender, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("the URL of a webhook is of the form https://host/path")
	}
	if o.Queue <= 0 {
		o.Queue = defaultQueue
	}
	if o.Tries <= 0 {
		o.Tries = defaultTries
	}
	if o.FirstWait <= 0 {
		o.FirstWait = firstWait
	}
	return &Sender{
		options: o,
		where:   u.Scheme + "://" + u.Host,
		wake:    make(chan struct{}, 1),
		client: &http.Client{
			Timeout:       tryTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Send queues a body. It never waits: the oldest that waits makes room.
func (s *Sender) Send(body []byte) {
	s.mu.Lock()
	if len(s.queue) >= s.options.Queue {
		s.queue = s.queue[1:]
		s.stats.Dropped++
	}
	s.queue = append(s.queue, body)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Stats returns how the deliveries went so far.
func (s *Sender) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Waiting = len(s.queue)
	return stats
}

// Run delivers until ctx ends.
func (s *Sender) Run(ctx context.Context) {
	for {
		body, ok := s.next()
		if !ok {
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
			}
			continue
		}
		err := s.deliver(ctx, body)
		if ctx.Err() != nil {
			return
		}
		s.count(func(stats *Stats) {
			if err == nil {
				stats.Delivered++
			} else {
				stats.Failed++
			}
		})
		if err != nil && s.options.Failed != nil {
			s.options.Failed(err)
		}
	}
}

func (s *Sender) next() (body []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil, false
	}
	body, s.queue = s.queue[0], s.queue[1:]
	return body, true
}

func (s *Sender) count(f func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.stats)
}

// deliver tries until the receiver takes a body, refuses it for good, or all
// tries are used up.
func (s *Sender) deliver(ctx context.Context, body []byte) error {
	for try := 1; ; try++ {
		again, err := s.try(ctx, body)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if !again || try == s.options.Tries {
			return fmt.Errorf("deliver an event to %s: %w (%d tries)", s.where, err, try)
		}
		s.count(func(stats *Stats) { stats.Retried++ })
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(domain.Backoff(s.options.FirstWait, longestWait, try)):
		}
	}
}

// try makes one request; again says whether another may go better.
func (s *Sender) try(ctx context.Context, body []byte) (again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.options.URL, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("the request cannot be made")
	}
	request.Header.Set("Content-Type", s.options.ContentType)
	if len(s.options.Key) > 0 {
		request.Header.Set(SignatureHeader, Sign(s.options.Key, body))
	}
	response, err := s.client.Do(request)
	if err != nil {
		return true, withoutURL(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)) // so that the connection is used again
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return false, nil
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return true, fmt.Errorf("answered %d", code)
	default:
		return false, fmt.Errorf("answered %d", code)
	}
}

// withoutURL drops the URL from an error: its path or query may be a secret.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// Sign returns the signature of a body.
func Sign(key, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
