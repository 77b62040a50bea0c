package domain

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

// Pace is how fast simulated durations are played: 1 is real time, 60 plays a
// minute in a second, and Instant plays nothing out. Only durations that a
// stand-in makes up scale with it; what really happens takes its own time.
type Pace float64

// Instant plays simulated durations in no time at all.
const Instant Pace = 0

// RealPace plays simulated durations as long as they would take in life.
const RealPace Pace = 1

// ParsePace reads "instant", "real", or a factor such as "60x" or "2.5x".
func ParsePace(s string) (Pace, error) {
	switch s {
	case "instant":
		return Instant, nil
	case "real":
		return RealPace, nil
	}
	f, err := strconv.ParseFloat(strings.TrimSuffix(s, "x"), 64)
	if err != nil || !strings.HasSuffix(s, "x") || !(f > 0) || f > 1e6 {
		return 0, fmt.Errorf("pace %q is none of instant, real, or a factor such as 60x", s)
	}
	return Pace(f), nil
}

// String returns what ParsePace reads.
func (p Pace) String() string {
	switch p {
	case Instant:
		return "instant"
	case RealPace:
		return "real"
	}
	return strconv.FormatFloat(float64(p), 'g', -1, 64) + "x"
}

// Scale returns how long a duration at real pace takes at this pace.
func (p Pace) Scale(d time.Duration) time.Duration {
	if p == Instant {
		return 0
	}
	return time.Duration(float64(d) / float64(p))
}

// slowest is how long what a fault slows down takes at the instant pace.
const slowest = 30 * time.Second

// Slow returns how long a duration takes at this pace that a fault has made
// long. Even where nothing is played out this one is, up to half a minute of
// real time: a slowness that nobody feels would lead to nothing.
func (p Pace) Slow(d time.Duration) time.Duration {
	if p == Instant {
		return min(d, slowest)
	}
	return p.Scale(d)
}

// Range is a span of typical durations at real pace, both ends included.
type Range struct{ Min, Max time.Duration }

// Draw returns a duration of the range that depends only on the seed and the
// name, so that a rehearsal repeats.
func (r Range) Draw(seed uint64, name string) time.Duration {
	if r.Max <= r.Min {
		return r.Min
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%s", seed, name)
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return r.Min + time.Duration(x%uint64(r.Max-r.Min+1))
}
