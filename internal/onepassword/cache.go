package onepassword

import (
	"context"
	"errors"
	"time"
)

// cached is one answer that is there, or on its way.
type cached struct {
	asked time.Time     // when the request began
	ready chan struct{} // closed when value and err are set
	value any
	err   error
}

// maxCached bounds how many answers are kept.
const maxCached = 20_000

// once returns the answer to a question that was asked no earlier than since:
// a kept one, one that another caller waits for already, or a new one. Errors
// are shared by those who waited, and not kept.
func (c *Client) once(ctx context.Context, key string, since time.Time, ask func(context.Context, time.Time) (any, error)) (any, error) {
	for {
		c.mu.Lock()
		answer := c.cache[key]
		if answer == nil || answer.asked.Before(since) {
			answer = c.start(ctx, key, since, ask)
		}
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-answer.ready:
		}
		// Whoever asked first may have given up meanwhile.
		if isContextError(answer.err) && ctx.Err() == nil {
			continue
		}
		return answer.value, answer.err
	}
}

// start asks, in the background, on behalf of all who will wait. c.mu is held.
func (c *Client) start(ctx context.Context, key string, since time.Time, ask func(context.Context, time.Time) (any, error)) *cached {
	if len(c.cache) >= maxCached {
		clear(c.cache)
	}
	answer := &cached{asked: time.Now(), ready: make(chan struct{})}
	c.cache[key] = answer
	go func() {
		defer close(answer.ready)
		answer.value, answer.err = ask(ctx, since)
		if answer.err == nil {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.cache[key] == answer {
			delete(c.cache, key)
		}
	}()
	return answer
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
