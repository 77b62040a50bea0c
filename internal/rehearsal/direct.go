package rehearsal

import (
	"cmp"
	"context"
	"slices"
	"time"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

// cue is one moment of the faults' timetable.
type cue struct {
	at    time.Duration
	fault domain.Fault
	lift  bool
}

// cues returns the timetable of the faults that count from the beginning, or
// of those that count from the moment at which all has settled. A fault that
// is there at once has begun already.
func cues(faults []domain.Fault, settled bool) []cue {
	var list []cue
	for _, f := range faults {
		if f.Settled != settled {
			continue
		}
		if !atOnce(f) {
			list = append(list, cue{f.After, f, false})
		}
		if f.Until > 0 {
			list = append(list, cue{f.Until, f, true})
		}
	}
	slices.SortStableFunc(list, func(a, b cue) int { return cmp.Compare(a.at, b.at) })
	return list
}

// direct injects and lifts faults by their timetable, until that or ctx ends.
func (s *Stage) direct(ctx context.Context, settled bool) {
	s.walk(ctx, cues(s.options.Faults, settled))
}

// walk plays a timetable, until that or ctx ends.
func (s *Stage) walk(ctx context.Context, list []cue) {
	began := time.Now()
	for _, c := range list {
		if !pause(ctx, time.Until(began.Add(c.at))) {
			return
		}
		if err := s.act(ctx, c); err != nil && ctx.Err() == nil {
			s.problem("%v", err)
		}
	}
}

// act does what a cue says, and notes it.
func (s *Stage) act(ctx context.Context, c cue) error {
	if !c.lift {
		return s.inject(ctx, c.fault)
	}
	s.noteEffect(c.fault)
	return s.lift(c.fault)
}

// noteEffect notes what is down just before a fault is lifted.
func (s *Stage) noteEffect(f domain.Fault) {
	effect := Effect{Fault: f.String(), Down: downAmong(s.watcher.All())}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.effects = append(s.effects, effect)
}

// faultEffects returns what was noted so far.
func (s *Stage) faultEffects() []Effect {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.effects)
}

// downAmong lists what is not ready; what is suspended is meant to be so.
func downAmong(objects []observe.Object) []Down {
	list := []Down{}
	for _, o := range objects {
		if !o.Ready && !o.Suspended {
			list = append(list, Down{Ref: o.Ref, State: o.State, Message: o.Message})
		}
	}
	return list
}

// directSettled plays the faults that wait for the homelab to have settled, and
// reports whether there were any.
func (s *Stage) directSettled(ctx context.Context) bool {
	if len(cues(s.options.Faults, true)) == 0 {
		return false
	}
	defer s.gate.Timer()()
	s.direct(ctx, true)
	return true
}

// pause waits, and reports whether ctx let it.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
