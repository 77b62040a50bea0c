package rehearsal

import (
	"context"
	"sort"
	"sync"
	"time"

	"hearth/internal/domain"
)

// modelClock tells the time of a soak. Model time stands still while the
// homelab works on what was fired, since how long this machine takes for that
// says nothing about life; in between it jumps from one appointment to the
// next, no faster than the pace.
type modelClock struct {
	pace domain.Pace

	mu    sync.Mutex
	now   time.Duration
	marks []mark
}

// mark says which model time began at which wall time.
type mark struct {
	wall  time.Time
	model time.Duration
}

func newModelClock(pace domain.Pace) *modelClock {
	return &modelClock{pace: pace, marks: []mark{{wall: time.Now()}}}
}

// jump goes on to a model time, and reports whether ctx let it.
func (c *modelClock) jump(ctx context.Context, to time.Duration) bool {
	c.mu.Lock()
	wait := c.pace.Scale(to - c.now)
	c.mu.Unlock()
	if !pause(ctx, wait) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = to
	c.marks = append(c.marks, mark{time.Now(), to})
	return true
}

// at returns the model time of a moment.
func (c *modelClock) at(wall time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := sort.Search(len(c.marks), func(i int) bool { return c.marks[i].wall.After(wall) })
	if i == 0 {
		return 0
	}
	return c.marks[i-1].model
}
