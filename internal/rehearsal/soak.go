package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"hearth/internal/domain"
)

// SoakOptions say how long a homelab is to be kept up, in model time.
type SoakOptions struct {
	Length time.Duration
	// Faults is how many faults the seed brings, spread over the time. Faults
	// of the rehearsal's options come at model time instead, if there are any.
	Faults int
}

// SoakReport says how a homelab fared over a long time.
type SoakReport struct {
	Cluster string `json:"cluster"`
	// ModelSeconds is how much model time has passed, WallSeconds how long that took.
	ModelSeconds float64 `json:"modelSeconds"`
	WallSeconds  float64 `json:"wallSeconds"`
	// Fired counts what was due, by what it was.
	Fired map[string]int `json:"fired"`
	// Outages are the objects that were ever not ready, the longest first.
	Outages []Outage `json:"outages"`
	// Faults are those that happened.
	Faults []SoakFault `json:"faults"`
	// Broken is what was not ready at the end.
	Broken []Down `json:"broken"`
	// Incomplete says why the soak ended early.
	Incomplete string `json:"incomplete,omitempty"`
}

// Outage says how often an object was not ready, and for how long altogether.
type Outage struct {
	domain.Ref
	Times   int     `json:"times"`
	Seconds float64 `json:"seconds"`
	// Worst is the state in which it was for longest.
	Worst domain.State `json:"worst"`
}

// SoakFault is a fault of a soak, in model time.
type SoakFault struct {
	Fault string  `json:"fault"`
	From  float64 `json:"from"`
	To    float64 `json:"to"`
}

// together is within which span of model time appointments are kept together,
// so that the homelab works on many at once; shortestRetry is the shortest
// wait before a retry.
const (
	together      = 10 * time.Minute
	shortestRetry = time.Minute
)

// Soak keeps the homelab up for a long time: what the model schedules is fired
// at model time, and the clock stands still while the homelab works on it. The
// stage must have been opened for it: see [Options].
func (s *Stage) Soak(ctx context.Context) *SoakReport {
	o := *s.options.Soak
	s.watcher.Subscribe(s.touchNews())
	report := &SoakReport{Cluster: s.cluster.Name, Fired: map[string]int{}, Outages: []Outage{}, Faults: []SoakFault{}, Broken: []Down{}}
	if why := s.awaitHealth(ctx, nil); why != "" {
		report.Incomplete = "the homelab was not healthy to begin with: " + why
		return report
	}
	began := time.Now()
	soak := &soak{Stage: s, clock: newModelClock(s.options.Pace), report: report, began: began, retrying: map[domain.Ref]bool{}}
	if err := soak.plan(ctx, o); err != nil {
		report.Incomplete = err.Error()
		return report
	}
	soak.run(ctx, o.Length)
	report.WallSeconds = inSeconds(time.Since(began))
	report.Outages = soak.outages(o.Length)
	report.Broken = s.down()
	return report
}

// soak is one soak under way.
type soak struct {
	*Stage
	clock  *modelClock
	agenda agenda
	report *SoakReport
	began  time.Time
	// retrying are the objects whose next try is on the agenda.
	retrying map[domain.Ref]bool
}

// run fires what is due, until the end.
func (s *soak) run(ctx context.Context, length time.Duration) {
	for {
		list := s.agenda.due(length, together)
		if len(list) == 0 {
			s.clock.jump(ctx, length)
			s.report.ModelSeconds = inSeconds(length)
			return
		}
		if !s.clock.jump(ctx, list[0].at) {
			s.report.Incomplete = s.interrupted(ctx)
			s.report.ModelSeconds = inSeconds(list[0].at)
			return
		}
		for _, p := range list {
			s.report.Fired[p.what]++
			if err := p.do(ctx); err != nil && ctx.Err() == nil {
				s.problem("%s: %v", p.what, err)
			}
		}
		s.gate.Touch()
		s.gate.Quiet(ctx, glance) // ends with ctx, which the next jump sees
		s.tryAgainLater()
	}
}

// tryAgainLater lets what failed try again when its back-off has passed, in
// model time.
func (s *soak) tryAgainLater() {
	for _, o := range s.watcher.Snapshot() {
		if o.Ready || o.Suspended || !retried[o.Kind][o.State] || s.retrying[o.Ref] {
			continue
		}
		now := s.clock.at(time.Now())
		since := now - s.clock.at(o.Since)
		s.retrying[o.Ref] = true
		s.agenda.add(&appointment{at: now + nextTry(since), what: "retry of " + o.Kind, do: func(ctx context.Context) error {
			delete(s.retrying, o.Ref)
			return s.request(ctx, o, time.Now().Format(time.RFC3339Nano))
		}})
	}
}

// nextTry returns how long to wait after failing for so long: waits double, so
// that the next is as long as all before it.
func nextTry(failing time.Duration) time.Duration {
	return min(max(shortestRetry, failing), domain.KustomizationInterval)
}

// outages sums up in model time what was observed since the soak began.
func (s *soak) outages(length time.Duration) []Outage {
	type course struct {
		state domain.State
		since time.Duration
		down  map[domain.State]time.Duration
		times int
	}
	courses := map[domain.Ref]*course{}
	leave := func(c *course, kind string, at time.Duration) {
		if !readyState(kind, c.state) {
			c.down[c.state] += at - c.since
		}
	}
	for _, t := range s.watcher.Transitions() {
		if t.At.Before(s.began) {
			continue
		}
		at := s.clock.at(t.At)
		c := courses[t.Ref]
		if c == nil {
			c = &course{state: t.From, down: map[domain.State]time.Duration{}}
			courses[t.Ref] = c
		}
		leave(c, t.Kind, at)
		if readyState(t.Kind, c.state) && !readyState(t.Kind, t.To) && !t.Passed {
			c.times++
		}
		c.state, c.since = t.To, at
	}
	list := []Outage{}
	for ref, c := range courses {
		leave(c, ref.Kind, length)
		outage := Outage{Ref: ref, Times: c.times}
		var total, worst time.Duration
		for _, state := range slices.Sorted(maps.Keys(c.down)) {
			total += c.down[state]
			if c.down[state] > worst {
				worst, outage.Worst = c.down[state], state
			}
		}
		if outage.Seconds = inSeconds(total); total > 0 {
			list = append(list, outage)
		}
	}
	slices.SortFunc(list, func(a, b Outage) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), a.Ref.Compare(b.Ref))
	})
	return list
}

// readyState reports whether an object in a state is where it should be; what
// is gone is no outage.
func readyState(kind string, state domain.State) bool {
	if state == domain.Absent {
		return true
	}
	info, known := machineInfo(kind, state)
	return !known || info.Ready || info.Terminal
}

// planFaults enters the faults: those that were asked for, or else some that
// the seed draws, each for a time between five minutes and two hours, one
// after another.
func (s *soak) planFaults(ctx context.Context, o SoakOptions) error {
	if len(s.options.Faults) > 0 {
		for _, f := range s.options.Faults {
			s.planFault(f, f.After, f.Until)
		}
		return nil
	}
	if o.Faults == 0 {
		return nil
	}
	list, err := s.chances(ctx)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(s.options.Seed, 0))
	each := o.Length / time.Duration(o.Faults)
	for i := range o.Faults {
		begin := time.Duration(i)*each + time.Duration(random.Int64N(int64(each/2)))
		lasts := min(5*time.Minute+time.Duration(random.Int64N(int64(115*time.Minute))), each/2)
		s.planFault(draw(random, list), begin, begin+lasts)
	}
	return nil
}

func (s *soak) planFault(f domain.Fault, from, to time.Duration) {
	f.Settled, f.After, f.Until = true, 0, 0
	s.agenda.add(&appointment{at: from, what: "fault", alone: true, do: func(ctx context.Context) error {
		s.report.Faults = append(s.report.Faults, SoakFault{Fault: f.String(), From: inSeconds(from), To: inSeconds(to)})
		return s.inject(ctx, f)
	}})
	if to > from {
		s.agenda.add(&appointment{at: to, what: "end of fault", alone: true, do: func(ctx context.Context) error { return errors.Join(s.lift(f), s.sweep(ctx)) }})
	}
}

// plan enters all that the model schedules, and the faults.
func (s *soak) plan(ctx context.Context, o SoakOptions) error {
	for _, enter := range []func(context.Context, SoakOptions) error{s.planIntervals, s.planCronJobs, s.planRotations} {
		if err := enter(ctx, o); err != nil {
			return fmt.Errorf("plan the soak: %w", err)
		}
	}
	return s.planFaults(ctx, o)
}
