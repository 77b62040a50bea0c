package notification

import (
	"sync"
	"time"
)

// recent remembers keys for a while, and no more than so many of them: the
// oldest go first. Its methods may be called concurrently.
type recent[K comparable] struct {
	window time.Duration
	limit  int
	now    func() time.Time // nil means time.Now

	mu    sync.Mutex
	at    map[K]time.Time
	queue []noted[K] // oldest first
}

type noted[K comparable] struct {
	key K
	at  time.Time
}

func newRecent[K comparable](window time.Duration, limit int) *recent[K] {
	return &recent[K]{window: window, limit: limit, at: map[K]time.Time{}}
}

// first notes a key and reports whether it was not remembered.
func (r *recent[K]) first(key K) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.time()
	r.expire(now)
	if _, known := r.at[key]; known {
		return false
	}
	for len(r.at) >= r.limit {
		r.pop()
	}
	r.at[key] = now
	r.queue = append(r.queue, noted[K]{key, now})
	return true
}

// forget makes a key new again.
func (r *recent[K]) forget(key K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.at, key)
}

// expire forgets what is too old. A key that was forgotten and noted again
// stands in the queue twice, so its length has a bound of its own.
func (r *recent[K]) expire(now time.Time) {
	for len(r.queue) > 0 && (now.Sub(r.queue[0].at) >= r.window || len(r.queue) > 2*r.limit) {
		r.pop()
	}
}

// pop removes the oldest entry of the queue, and its key unless that was noted
// anew since.
func (r *recent[K]) pop() {
	oldest := r.queue[0]
	r.queue = r.queue[1:]
	if at, ok := r.at[oldest.key]; ok && at.Equal(oldest.at) {
		delete(r.at, oldest.key)
	}
}

func (r *recent[K]) time() time.Time {
	if r.now != nil {
		return r.now()
	}
	return time.Now()
}
