// Package timeline shows how a homelab came up, and what became of it: when
// each object was in which state, which chain of objects took longest, what
// went wrong in between, and what had to be made up.
//
// A [Timeline] is plain data, derived from what was observed; [WriteHTML]
// makes one page of it that needs nothing else, [WriteText] shows it in a
// terminal. Times are seconds from the timeline's beginning.
package timeline

import (
	"cmp"
	"slices"
	"time"

	"hearth/internal/domain"
)

// Timeline is the course of a homelab. Its JSON form is stable: fields are
// only ever added.
type Timeline struct {
	Cluster string `json:"cluster"`
	Verdict string `json:"verdict"`
	// Seconds is how long all of it took.
	Seconds     float64             `json:"seconds"`
	Groups      []Group             `json:"groups"`
	Critical    []domain.Ref        `json:"critical"`
	Faults      []Span              `json:"faults"`
	Events      []Event             `json:"events"`
	Assumptions []domain.Assumption `json:"assumptions"`
}

// Group is a Kustomization with what came from it, or what came from none.
type Group struct {
	Name string `json:"name"`
	Rows []Row  `json:"rows"`
}

// Row is the course of one object.
type Row struct {
	domain.Ref
	// Critical says that it is part of the critical path.
	Critical bool  `json:"critical,omitempty"`
	Bars     []Bar `json:"bars"`
}

// Bar is a span of time in one state.
type Bar struct {
	State domain.State `json:"state"`
	Tone  Tone         `json:"tone"`
	From  float64      `json:"from"`
	To    float64      `json:"to"`
	// Message is what the object said when it entered the state.
	Message string `json:"message,omitempty"`
}

// Tone says what kind of state an object is in.
type Tone string

// The tones.
const (
	Ready  Tone = "ready"
	Failed Tone = "failed"
	Busy   Tone = "busy"
	Gone   Tone = "gone"
)

// Span is a stretch of time, such as one in which a fault is on.
type Span struct {
	Name string  `json:"name"`
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// Event is something that happened.
type Event struct {
	At     float64    `json:"at"`
	Type   string     `json:"type"`
	Object domain.Ref `json:"object"`
}

// Step is one change of an object's state, as it was observed.
type Step struct {
	domain.Ref
	At      time.Time
	To      domain.State
	Message string
}

// Course is what a timeline is made of.
type Course struct {
	Began, Ended time.Time
	// Steps are the changes, oldest first.
	Steps []Step
	// Group names the group of an object; empty is none.
	Group func(domain.Ref) string
	// Critical are the objects of the critical path.
	Critical []domain.Ref
}

// New returns the timeline of a course. What began before counts from 0.
func New(c Course) *Timeline {
	t := &Timeline{
		Seconds: since(c.Began, c.Ended), Groups: []Group{}, Critical: c.Critical,
		Faults: []Span{}, Events: []Event{}, Assumptions: []domain.Assumption{},
	}
	rows := map[domain.Ref]*Row{}
	var order []domain.Ref
	for _, step := range c.Steps {
		row := rows[step.Ref]
		if row == nil {
			row = &Row{Ref: step.Ref, Critical: slices.Contains(c.Critical, step.Ref)}
			rows[step.Ref] = row
			order = append(order, step.Ref)
		}
		row.enter(step, since(c.Began, step.At))
	}
	for _, ref := range order {
		rows[ref].end(t.Seconds)
		t.add(c.Group(ref), *rows[ref])
	}
	for i := range t.Groups {
		slices.SortStableFunc(t.Groups[i].Rows, func(a, b Row) int {
			return cmp.Or(cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(a.begin(), b.begin()), a.Ref.Compare(b.Ref))
		})
	}
	slices.SortStableFunc(t.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(a.begin(), b.begin()), cmp.Compare(a.Name, b.Name))
	})
	return t
}

// since returns seconds, to the millisecond, and never less than 0.
func since(began, at time.Time) float64 {
	return max(0, float64(at.Sub(began).Milliseconds())/1000)
}

// enter ends the bar that is open, and opens the next.
func (r *Row) enter(step Step, at float64) {
	r.end(at)
	if step.To == domain.Absent {
		return
	}
	r.Bars = append(r.Bars, Bar{State: step.To, Tone: toneOf(step.Kind, step.To), From: at, To: -1, Message: step.Message})
}

// end closes the bar that is open; one that lasted no time at all is dropped.
func (r *Row) end(at float64) {
	last := len(r.Bars) - 1
	if last < 0 || r.Bars[last].To >= 0 {
		return
	}
	r.Bars[last].To = at
	if r.Bars[last].From >= at && last > 0 {
		r.Bars = r.Bars[:last]
	}
}

func (r Row) begin() float64 {
	if len(r.Bars) == 0 {
		return 0
	}
	return r.Bars[0].From
}

func (g Group) begin() float64 {
	first := g.Rows[0].begin()
	for _, r := range g.Rows {
		first = min(first, r.begin())
	}
	return first
}

func (t *Timeline) add(group string, row Row) {
	i := slices.IndexFunc(t.Groups, func(g Group) bool { return g.Name == group })
	if i < 0 {
		i = len(t.Groups)
		t.Groups = append(t.Groups, Group{Name: group})
	}
	t.Groups[i].Rows = append(t.Groups[i].Rows, row)
}

// toneOf says what a state means, as its machine has it.
func toneOf(kind string, state domain.State) Tone {
	machine, ok := domain.MachineFor(kind)
	if !ok {
		return Busy
	}
	info, _ := machine.Info(state)
	switch {
	case info.Failed:
		return Failed
	case info.Ready:
		return Ready
	case info.Terminal:
		return Gone
	}
	return Busy
}

// kindOrder is the order in which the objects of a group are told.
var kindOrder = []string{"Kustomization", "Source", "ExternalSecret", "HelmRelease", "PersistentVolumeClaim", "Pod", "Gateway", "HTTPRoute"}

func rank(kind string) int {
	if i := slices.Index(kindOrder, kind); i >= 0 {
		return i
	}
	return len(kindOrder)
}
