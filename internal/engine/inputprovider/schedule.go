package inputprovider

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
)

// lookBack is how long ago the last time of a schedule can be: there are
// schedules for the 29th of February.
const lookBack = 9 * 366 * 24 * time.Hour

var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// schedule says when a provider may run; a nil one lets it run at any time.
type schedule struct {
	entries []entry
	timeout time.Duration
}

type entry struct {
	spec  fluxcdv1.Schedule
	times cron.Schedule
}

func newSchedule(specs []fluxcdv1.Schedule, timeout time.Duration) (*schedule, error) {
	if len(specs) == 0 {
		return nil, nil
	}
	s := &schedule{timeout: timeout}
	for i, spec := range specs {
		if window := spec.Window.Duration; window < 0 || window > 0 && window < 2*timeout {
			return nil, fmt.Errorf("failed to validate schedule[%d]: a non-zero window (%s) must always be at least twice the timeout (%s)", i, window, timeout)
		}
		text := spec.Cron
		if strings.Contains(text, "=") {
			// The parser takes time zones there, and cannot do without a space behind.
			return nil, fmt.Errorf("failed to validate schedule[%d]: cron spec '%s' holds a time zone, which belongs into timeZone", i, spec.Cron)
		}
		if spec.TimeZone != "" {
			text = "CRON_TZ=" + spec.TimeZone + " " + text
		}
		times, err := cronParser.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("failed to validate schedule[%d]: failed to parse cron spec '%s' with timezone '%s': %w", i, spec.Cron, spec.TimeZone, err)
		}
		if times.Next(time.Now()).IsZero() {
			return nil, fmt.Errorf("failed to validate schedule[%d]: cron spec '%s' never comes", i, spec.Cron)
		}
		s.entries = append(s.entries, entry{spec, times})
	}
	return s, nil
}

// allows reports whether a provider may run: in a window, early enough to end
// in it. A schedule without a window only adds times.
func (s *schedule) allows(now time.Time) bool {
	if s == nil {
		return true
	}
	for _, e := range s.entries {
		if e.spec.Window.Duration == 0 || s.inWindow(e, now) {
			return true
		}
	}
	return false
}

func (s *schedule) inWindow(e entry, now time.Time) bool {
	last := e.last(now)
	return !last.IsZero() && now.Add(s.timeout).Before(last.Add(e.spec.Window.Duration))
}

// last returns the latest time of a schedule that is not after now: it halves
// the time in which that can be.
func (e entry) last(now time.Time) time.Time {
	from, to := now.Add(-lookBack), now
	if first := e.times.Next(from); first.IsZero() || first.After(now) {
		return time.Time{}
	}
	for to.Sub(from) > time.Second {
		middle := from.Add(to.Sub(from) / 2)
		if next := e.times.Next(middle); next.IsZero() || next.After(now) {
			to = middle
		} else {
			from = middle
		}
	}
	return e.times.Next(from)
}

// next returns the next time of any schedule.
func (s *schedule) next(now time.Time) *fluxcdv1.NextSchedule {
	var first *fluxcdv1.NextSchedule
	for _, e := range s.entries {
		when := e.times.Next(now)
		if first == nil || when.Before(first.When.Time) {
			first = &fluxcdv1.NextSchedule{Schedule: e.spec, When: metav1.NewTime(when)}
		}
	}
	return first
}

// instead returns the next time of a schedule, and how long it is until then,
// where it comes before the interval is over or the interval ends outside of
// all windows.
func (s *schedule) instead(now time.Time, interval time.Duration) (*fluxcdv1.NextSchedule, time.Duration) {
	if s == nil {
		return nil, 0
	}
	end := now.Add(interval)
	open := false
	for _, e := range s.entries {
		open = open || e.spec.Window.Duration > 0 && s.inWindow(e, end)
	}
	next := s.next(now)
	if open && !next.When.Time.Before(end) {
		return nil, 0
	}
	return next, next.When.Sub(now)
}
