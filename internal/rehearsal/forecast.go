package rehearsal

import (
	"slices"
	"time"

	"hearth/internal/domain"
)

// forecast predicts when each object of a homelab would be ready at real pace.
// A task starts when all tasks before it are done, and takes its own time.
// Typical durations come from the domain's tables, drawn from the seed, so
// that the forecast repeats; pods take what their stand-ins drew.
type forecast struct {
	tasks map[task]*taskPlan
}

// task is one thing that takes time. A Kustomization has two: its objects are
// applied, then it is ready, which where it waits is later.
type task struct {
	domain.Ref
	applied bool
}

type taskPlan struct {
	after []task
	own   time.Duration

	done    time.Duration
	because *task
	state   visit
}

type visit int

const (
	unvisited visit = iota
	visiting
	visited
)

func newForecast() *forecast { return &forecast{tasks: map[task]*taskPlan{}} }

// add plans a task. Tasks named in after that are never added take no time.
func (f *forecast) add(t task, own time.Duration, after ...task) {
	plan := f.tasks[t]
	if plan == nil {
		plan = &taskPlan{}
		f.tasks[t] = plan
	}
	plan.own += own
	plan.after = append(plan.after, after...)
}

// done returns when a task is done, counted from the start. A cycle, which
// the homelab never gets out of, counts as if its last link were not there.
func (f *forecast) done(t task) time.Duration {
	plan := f.tasks[t]
	if plan == nil || plan.state == visiting {
		return 0
	}
	if plan.state == visited {
		return plan.done
	}
	plan.state = visiting
	var start time.Duration
	slices.SortFunc(plan.after, compareTasks)
	for _, before := range plan.after {
		if done := f.done(before); done > start {
			start, plan.because = done, &before
		}
	}
	plan.done, plan.state = start+plan.own, visited
	return plan.done
}

// criticalPath returns the last of the tasks and what each had to wait for,
// in order of time, one step an object.
func (f *forecast) criticalPath() []Step {
	var last *task
	var longest time.Duration
	for _, t := range f.sorted() {
		if done := f.done(t); last == nil || done > longest {
			last, longest = &t, done
		}
	}
	var steps []Step
	for t := last; t != nil; t = f.tasks[*t].because {
		step := Step{Ref: t.Ref, PredictedSeconds: round(f.done(*t).Seconds())}
		if n := len(steps); n > 0 && steps[n-1].Ref == step.Ref {
			continue
		}
		steps = append(steps, step)
	}
	slices.Reverse(steps)
	return steps
}

func (f *forecast) sorted() []task {
	tasks := make([]task, 0, len(f.tasks))
	for t := range f.tasks {
		tasks = append(tasks, t)
	}
	slices.SortFunc(tasks, compareTasks)
	return tasks
}

func compareTasks(a, b task) int {
	if c := a.Ref.Compare(b.Ref); c != 0 {
		return c
	}
	switch {
	case a.applied == b.applied:
		return 0
	case a.applied:
		return -1
	default:
		return 1
	}
}

// round keeps three decimals, which is all that a report shows.
func round(seconds float64) float64 {
	return float64(int64(seconds*1000+0.5)) / 1000
}

// inSeconds returns a duration as a report has it.
func inSeconds(d time.Duration) float64 { return round(d.Seconds()) }
