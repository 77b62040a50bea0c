package rehearsal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

// recovery bounds how long the homelab may take to come back.
const recovery = 5 * time.Minute

// ScenarioResult is how a scenario went.
type ScenarioResult struct {
	File string `json:"file"`
	Name string `json:"name"`
	// Missed says what was expected and not seen; empty where all was.
	Missed []string `json:"missed"`
	// Causes are those that were found when all was seen, or at the end.
	Causes []string `json:"causes"`
	// SeenSeconds is after how long all was seen, RecoveredSeconds after how
	// long everything was back once the faults were lifted.
	SeenSeconds      float64 `json:"seenSeconds"`
	RecoveredSeconds float64 `json:"recoveredSeconds"`
}

// Passed reports whether everything went as expected.
func (r ScenarioResult) Passed() bool { return len(r.Missed) == 0 }

// RunScenarios plays scenarios, one after another, and tells each result as it
// comes. Those whose faults begin once all has settled share a stage while
// the homelab comes back after each; others have a stage of their own. An
// error says that a stage could not be opened: a *MisuseError, as of [Open].
func RunScenarios(ctx context.Context, o Options, scenarios []*Scenario, tell func(ScenarioResult)) error {
	var shared *Stage
	defer func() { closeQuietly(shared) }()
	for i, scenario := range scenarios {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		next := shared
		if !scenario.fromHealthy() || shared != nil && shared.options.Cluster != scenario.cluster(o) {
			next = nil
		}
		if next == nil {
			var err error
			closeQuietly(shared)
			shared = nil
			if next, err = Open(ctx, scenario.options(o, scenarios[i:])); err != nil {
				return fmt.Errorf("%s: %w", scenario.File, err)
			}
		}
		result := next.play(ctx, scenario)
		tell(result)
		if scenario.fromHealthy() && result.Passed() && len(scenario.Stays) == 0 {
			shared = next
			continue
		}
		closeQuietly(next)
		shared = nil
	}
	return nil
}

func closeQuietly(s *Stage) {
	if s != nil {
		s.Close() // what its processes say at their end concerns no scenario
	}
}

func (s *Scenario) cluster(o Options) string {
	if s.Cluster != "" {
		return s.Cluster
	}
	return o.Cluster
}

// options are those of the stage that a scenario needs, and those may share
// that follow it.
func (s *Scenario) options(o Options, following []*Scenario) Options {
	o.Cluster = s.cluster(o)
	o.Faults = nil
	for _, f := range s.faults {
		if atOnce(f) {
			f.Until = 0 // the scenario lifts it
			o.Faults = append(o.Faults, f)
		}
	}
	o.Spoilable = slices.ContainsFunc(following, func(s *Scenario) bool { return spoils(s.faults) })
	return o
}

// play walks through a scenario. Faults that are there at once are on.
func (s *Stage) play(ctx context.Context, scenario *Scenario) ScenarioResult {
	result := ScenarioResult{File: scenario.File, Name: scenario.Name, Missed: []string{}}
	if scenario.fromHealthy() {
		if why := s.awaitHealth(ctx, nil); why != "" {
			result.Missed = append(result.Missed, "before the faults "+why)
			return result
		}
		s.spareRestless()
	}
	stop := s.stageFaults(ctx, scenario.faults)
	began := time.Now()
	result.Missed, result.Causes = s.expect(ctx, scenario)
	result.SeenSeconds = inSeconds(time.Since(began))
	stop()
	began = time.Now()
	if why := s.awaitHealth(ctx, scenario.Stays); why != "" {
		result.Missed = append(result.Missed, "after the faults were lifted "+why)
	} else if why := s.awaitSilence(ctx, scenario.Stays); why != "" {
		result.Missed = append(result.Missed, "after the faults were lifted there is still blamed "+why)
	} else if why := s.awaitDepartures(ctx, scenario.Stays); why != "" {
		result.Missed = append(result.Missed, "after the faults were lifted there is still being deleted "+why)
	}
	result.RecoveredSeconds = inSeconds(time.Since(began))
	return result
}

// stageFaults plays a timetable of faults in the background; what waits for the
// homelab to have settled, it waits for itself. The function returned ends
// that, and lifts whatever is on: what began last goes first.
func (s *Stage) stageFaults(ctx context.Context, faults []domain.Fault) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var playing sync.WaitGroup
	playing.Go(func() { s.walk(ctx, cues(faults, false)) })
	if later := cues(faults, true); len(later) > 0 {
		if len(later) < len(faults) {
			s.settle(ctx) // what is not ready then is to be seen in what follows
		}
		playing.Go(func() { s.walk(ctx, later) })
	}
	return func() {
		cancel()
		playing.Wait()
		active := s.faults.Active()
		slices.Reverse(active)
		for _, f := range active {
			if err := s.lift(f); err != nil {
				s.problem("%v", err)
			}
		}
	}
}

// expect waits until all that a scenario expects is seen at once, and returns
// what was missed, and the causes that were found.
func (s *Stage) expect(ctx context.Context, scenario *Scenario) (missed, causes []string) {
	ctx, cancel := context.WithTimeout(ctx, scenario.patience())
	defer cancel()
	settled, tried, still := s.whenQuiet(ctx), false, false
	changes, stop := s.watcher.Changes()
	defer stop()
	for {
		look, err := s.explain(context.WithoutCancel(ctx), still)
		if err != nil {
			return []string{err.Error()}, nil
		}
		missed, causes = scenario.missing(s.watcher.All(), look), causesOf(look)
		if len(missed) == 0 {
			return missed, causes
		}
		select {
		case <-ctx.Done():
			return missed, causes
		case <-changes:
			if s.gate.Quiet(ctx, glance) != nil {
				continue // one last look
			}
		case <-time.After(time.Second): // a diagnosis may be a matter of time alone
		case <-settled:
			settled, still = nil, tried
			if !tried {
				tried = true
				if !scenario.fromHealthy() {
					s.assume(ctx) // what else is missing is what the scenario is about
				}
				s.tryAgain(ctx)
				settled = s.whenQuiet(ctx)
			}
		}
	}
}

// glance is how long nothing changes before somebody looks again.
const glance = 200 * time.Millisecond

// tryAgain lets what failed try once more, which a rehearsal does once nothing
// makes progress any more.
func (s *Stage) tryAgain(ctx context.Context) {
	if err := s.retry(ctx); err != nil && ctx.Err() == nil {
		s.problem("%v", err)
	}
	s.gate.Touch()
}

// awaitHealth waits until everything is ready but for what stays broken, and
// says what is not.
func (s *Stage) awaitHealth(ctx context.Context, stays []string) (why string) {
	ctx, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	for {
		incomplete, _ := s.settle(ctx)
		why = s.notBack(stays)
		switch {
		case why == "", ctx.Err() != nil:
			return why
		case incomplete != "":
			return incomplete + "; " + why
		}
		if !pause(ctx, time.Second) { // a back-off may still run
			return why
		}
	}
}

// silence bounds how long a cause may be told after all is ready again.
const silence = 2 * time.Minute

// awaitSilence waits until no cause is told any more, and names those that
// are. Where something stays broken its causes stay, too.
func (s *Stage) awaitSilence(ctx context.Context, stays []string) (why string) {
	if len(stays) > 0 {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	for {
		look, err := s.explain(context.WithoutCancel(ctx), false)
		if err != nil {
			return err.Error()
		}
		if look.Healthy() {
			return ""
		}
		if why = strings.Join(causesOf(look), ", "); !pause(ctx, time.Second) {
			return why
		}
	}
}

// awaitDepartures waits until the pods and volumes that nobody wants any more
// are gone, and names those that are not: what follows may need their names.
func (s *Stage) awaitDepartures(ctx context.Context, stays []string) (why string) {
	if len(stays) > 0 {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	changes, stop := s.watcher.Changes()
	defer stop()
	for {
		leaving, err := s.leaving(ctx)
		if err != nil || len(leaving) == 0 {
			return problemOf(err)
		}
		select {
		case <-ctx.Done():
			return strings.Join(leaving, ", ")
		case <-changes:
		case <-time.After(time.Second): // not all of them are observed
		}
	}
}

func problemOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// leaving names the pods and claims that are being deleted.
func (s *Stage) leaving(ctx context.Context) ([]string, error) {
	var names []string
	for kind, list := range map[string]client.ObjectList{"Pod": &corev1.PodList{}, "PersistentVolumeClaim": &corev1.PersistentVolumeClaimList{}} {
		if err := s.engine.client.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("look for what is being deleted: %w", err)
		}
		err := apimeta.EachListItem(list, func(item runtime.Object) error {
			if obj, ok := item.(client.Object); ok && obj.GetDeletionTimestamp() != nil {
				names = append(names, domain.Ref{Kind: kind, Namespace: obj.GetNamespace(), Name: obj.GetName()}.String())
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(names)
	return names, nil
}

// spareRestless notes which objects of further kinds are not ready though
// nothing goes wrong: nobody has to wait for them later.
func (s *Stage) spareRestless() {
	s.restless = map[domain.Ref]bool{}
	for _, o := range s.watcher.All() {
		s.restless[o.Ref] = !o.Ready
	}
}

// notBack names what is not ready.
func (s *Stage) notBack(stays []string) string {
	var names []string
	list := s.watcher.Snapshot()
	if s.restless != nil {
		list = s.watcher.All()
	}
	for _, o := range list {
		if o.Ready || observe.Further(o.Kind) && s.restless[o.Ref] || o.Suspended || slices.ContainsFunc(stays, func(p string) bool { return fits(p, o.Ref) }) {
			continue
		}
		names = append(names, fmt.Sprintf("%s is %s: %s", o.Ref, o.State, o.Message))
	}
	return strings.Join(names, "; ")
}
