package work

import (
	"sync"
	"time"
)

// Backoff counts failures and says how long to wait before the next try:
// exponentially from Base, doubling, capped by what the caller says. The zero
// value starts at one second. Its methods may be called concurrently.
type Backoff[K comparable] struct {
	// Base is the wait after the first failure; 0 means one second.
	Base time.Duration

	mu       sync.Mutex
	failures map[K]int
}

// Next counts one more failure of key and returns the wait that follows it,
// no longer than limit where limit is positive.
func (b *Backoff[K]) Next(key K, limit time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures == nil {
		b.failures = map[K]int{}
	}
	n := b.failures[key]
	b.failures[key] = n + 1
	base := b.Base
	if base <= 0 {
		base = time.Second
	}
	wait := base << min(n, 20)
	if limit > 0 && wait > limit {
		return limit
	}
	return wait
}

// Failures returns how often key failed since it was last forgotten.
func (b *Backoff[K]) Failures(key K) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures[key]
}

// Forget resets key after a success or when its object is gone.
func (b *Backoff[K]) Forget(key K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.failures, key)
}
