package domain

import (
	"strings"
	"time"
)

// DurationNature is how the length of a transition is told.
type DurationNature string

// The natures of durations. The zero value leaves the length open.
const (
	Immediate   DurationNature = "immediate"
	Seconds     DurationNature = "seconds"
	Ranged      DurationNature = "range"
	Variable    DurationNature = "variable"
	Exponential DurationNature = "exponential back-off"
)

// Duration says how long a transition typically takes at real pace. Range is
// set where the nature is Ranged.
type Duration struct {
	Nature DurationNature `json:"nature"`
	Range  Range          `json:"range,omitzero"`
}

// String returns for example "30s-5m", "immediate", or "" where the length is open.
func (d Duration) String() string {
	if d.Nature == Ranged {
		return d.Range.String()
	}
	return string(d.Nature)
}

// String returns for example "10s-2m".
func (r Range) String() string {
	if r.Min == r.Max {
		return ShortDuration(r.Min)
	}
	return ShortDuration(r.Min) + "-" + ShortDuration(r.Max)
}

// ShortDuration writes a duration without its zero parts: "1h", "30m", "1h30m".
func ShortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
