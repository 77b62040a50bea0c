package observe

import (
	"time"

	"hearth/internal/domain"
)

// baseline takes in an object that was there before the watcher: how it came
// to its state is unknown, so no transition is recorded.
func (w *Watcher) baseline(r *record, s Standing) {
	w.settle(r, s, w.now())
	if !s.Since.IsZero() {
		r.Since = s.Since
	}
	if s.Ready {
		r.ReadyAt = r.Since
	}
	w.changed()
}

// advance takes in what an object says now, and records how it came there.
func (w *Watcher) advance(r *record, s Standing) {
	at := w.now()
	m := machine(r.Kind)
	way := steps(m, r.State, s.State, s.passed)
	if r.State == s.State && r.round != "" && r.round != s.round {
		way = cycle(r.Kind, s.State, w.contentChanged(r))
	}
	w.walk(r, m, way, at, s.Message)
	quiet := len(way) == 0 && r.Message == s.Message && r.Ready == s.Ready && r.Completed == s.Completed
	since := r.Since
	w.settle(r, s, at)
	if len(way) == 0 {
		r.Since = since
	} else {
		w.event(r, at)
	}
	if !quiet {
		w.changed()
	}
}

// settle writes a standing into a record.
func (w *Watcher) settle(r *record, s Standing, at time.Time) {
	r.State, r.Message, r.Ready, r.Completed, r.round = s.State, s.Message, s.Ready, s.Completed, s.round
	r.Since = at
	if s.Ready && r.ReadyAt.IsZero() {
		r.ReadyAt = at
	}
	w.contentChanged(r)
}

// gone takes in that an object no longer exists.
func (w *Watcher) gone(ref domain.Ref) {
	r := w.records[ref]
	if r == nil {
		return
	}
	delete(w.records, ref)
	at, m := w.now(), machine(ref.Kind)
	w.walk(r, m, steps(m, r.State, domain.Absent, nil), at, "")
	w.changed()
}

// walk records the steps of a way.
func (w *Watcher) walk(r *record, m *domain.Machine, way []step, at time.Time, message string) {
	for i, st := range way {
		t := Transition{
			Ref: r.Ref, At: at, From: st.from, To: st.to, Trigger: trigger(m, st.from, st.to),
			OffModel: st.offModel, Passed: st.passed, Message: message,
		}
		if i == 0 && !r.Since.IsZero() {
			t.Lasted = max(0, at.Sub(r.Since))
		}
		w.transition(r, t)
	}
}

// transition records one step and hands it to the subscribers. A passed state
// carries no message: nothing was heard from it.
func (w *Watcher) transition(r *record, t Transition) {
	if t.Passed {
		t.Message = ""
	}
	w.transitions.add(t)
	if t.OffModel && len(w.offModel) < maxOffModel {
		w.offModel = append(w.offModel, t)
	}
	if len(w.subscribers) > 0 {
		w.post(posted{t, w.transitions.added})
	}
}

// machine returns the machine of a kind, or nil for kinds that have none.
func machine(kind string) *domain.Machine {
	m, _ := domain.MachineFor(kind)
	return m
}

// ring keeps the newest transitions.
type ring struct {
	buffer []Transition
	next   int
	added  uint64 // ever
}

func (r *ring) add(t Transition) {
	r.added++
	if len(r.buffer) < maxTransitions {
		r.buffer = append(r.buffer, t)
		return
	}
	r.buffer[r.next] = t
	r.next = (r.next + 1) % maxTransitions
}

func (r *ring) list() []Transition {
	list := make([]Transition, 0, len(r.buffer))
	list = append(list, r.buffer[r.next:]...)
	return append(list, r.buffer[:r.next]...)
}
