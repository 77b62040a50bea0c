package kustomization

import (
	"hash/fnv"
	"time"
)

// maxJitter bounds what Options.Jitter adds to and takes from an interval.
const maxJitter = 0.5

// interval returns how long a Kustomization rests once it is Ready. Jitter moves
// those that have the same interval apart: each by an amount of its own, which
// its name decides, so that a run can be repeated.
func (w *walk) interval() time.Duration {
	interval := w.obj.GetRequeueAfter()
	if w.o.Jitter <= 0 {
		return interval
	}
	name := fnv.New32a()
	name.Write([]byte(w.key.String()))
	// The low bits of the sum differ most among names that are alike.
	share := float64(name.Sum32()&0xffff)/0x8000 - 1
	return interval + time.Duration(share*min(w.o.Jitter, maxJitter)*float64(interval))
}
