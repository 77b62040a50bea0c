package externalsecret

import (
	"sync"
	"time"
)

const (
	// lull is how old an item may be that another ExternalSecret has read, where
	// nothing else is being read.
	lull = 10 * time.Second
	// longestRound bounds a round: what is in the vault is noticed in the end,
	// however long something or other is being read.
	longestRound = 2 * time.Minute
)

// rounds says which syncs belong together, so that each item is asked for once
// by all of them. A round lasts as long as there is always one of its syncs
// under way, however fast or slow the machine is. The zero value is ready to
// use; its methods may be called concurrently.
type rounds struct {
	mu     sync.Mutex
	oldest time.Time // what the syncs of this round may share was read since
	began  time.Time
	joined int
}

// join takes part in a round from now on. It returns since when what is read
// may be shared; leave ends the part.
func (r *rounds) join(now time.Time) (oldest time.Time, leave func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.joined == 0 || now.Sub(r.began) > longestRound {
		r.oldest, r.began = now.Add(-lull), now
	}
	r.joined++
	return r.oldest, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.joined--
	}
}
