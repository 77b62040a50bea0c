// Package metrics tells Prometheus what is observed of a cluster: the states of
// its objects, the transitions between them, how long each state lasted beside
// what the domain's tables hold for typical, retries, and what is overdue.
//
// The labels are bounded: states, kinds and rules are those of the domain, and
// objects are named for the first few thousand only, in their order.
package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

// maxObjects bounds how many objects have a series of their own.
const maxObjects = 5000

// buckets are where the domain's tables draw their lines, in seconds.
var buckets = []float64{1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 6 * 3600, 12 * 3600, 24 * 3600}

// Metrics counts what a watcher tells, and collects what it knows.
type Metrics struct {
	registry    *prometheus.Registry
	transitions *prometheus.CounterVec
	durations   *prometheus.HistogramVec
	operations  *prometheus.CounterVec
	retries     *prometheus.CounterVec
	events      *prometheus.CounterVec
}

// Observed is what is observed of a cluster, as observe.Watcher tells it.
type Observed interface {
	All() []observe.Object
	Overdue(now time.Time) []observe.Late
	Subscribe(func(observe.Transition))
	OnEvent(func(domain.Event))
}

// New returns the metrics of what is observed from now on.
func New(w Observed) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		transitions: counter("hearth_transitions_total", "Transitions of objects from a state to the next.",
			"kind", "from", "to", "off_model"),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hearth_state_duration_seconds", Help: "How long a state lasted that was left.", Buckets: buckets,
		}, []string{"kind", "state"}),
		operations: counter("hearth_operations_total", "Operations of the domain's table that ended, by whether they took as long as is typical.",
			"operation", "duration"),
		retries: counter("hearth_retries_total", "Tries after a failure.", "kind"),
		events:  counter("hearth_events_total", "Domain events.", "event"),
	}
	m.registry.MustRegister(m.transitions, m.durations, m.operations, m.retries, m.events, newCollector(w))
	w.Subscribe(m.transition)
	w.OnEvent(func(e domain.Event) { m.events.WithLabelValues(e.EventName()).Inc() })
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// transition counts one step.
func (m *Metrics) transition(t observe.Transition) {
	kind := observe.DomainKind(t.Kind)
	m.transitions.WithLabelValues(kind, string(t.From), string(t.To), strconv.FormatBool(t.OffModel)).Inc()
	if t.Lasted > 0 && t.From != domain.Absent {
		m.durations.WithLabelValues(kind, string(t.From)).Observe(t.Lasted.Seconds())
		m.operation(t)
	}
	if retried(kind, t) {
		m.retries.WithLabelValues(kind).Inc()
	}
}

// operation judges how long an operation took.
func (m *Metrics) operation(t observe.Transition) {
	o, ok := domain.OperationOf(t.Kind, t.From)
	if !ok {
		return
	}
	typical, verdict := o.Typical(), "typical"
	switch timeout := o.Timeout(); {
	case timeout > 0 && t.Lasted > timeout:
		verdict = "overdue"
	case t.Lasted > typical.Max:
		verdict = "slow"
	case t.Lasted < typical.Min:
		verdict = "fast"
	}
	m.operations.WithLabelValues(string(o), verdict).Inc()
}

// retried reports whether a step leads from a failure to another try.
func retried(kind string, t observe.Transition) bool {
	machine, ok := domain.MachineFor(kind)
	if !ok {
		return false
	}
	from, _ := machine.Info(t.From)
	to, _ := machine.Info(t.To)
	return from.Failed && !to.Failed && !to.Terminal && t.To != domain.Absent
}
