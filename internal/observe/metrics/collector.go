package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

// collector reads what a watcher knows whenever Prometheus asks.
type collector struct {
	watcher                                              Observed
	state, objects, ready, unnamed, overdue, late, model *prometheus.Desc
}

func newCollector(w Observed) collector {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return collector{
		watcher: w,
		state:   describe("hearth_object_state", "1 for the state that an object is in.", "kind", "namespace", "name", "state"),
		objects: describe("hearth_objects", "Objects by state.", "kind", "state"),
		ready:   describe("hearth_objects_ready", "Objects that have arrived.", "kind"),
		unnamed: describe("hearth_objects_unnamed", "Objects without a series of their own: there are too many."),
		overdue: describe("hearth_overdue", "1 where a temporal rule speaks of an object.", "kind", "namespace", "name", "rule"),
		late:    describe("hearth_overdue_objects", "Objects that a temporal rule speaks of.", "kind", "rule"),
		model:   describe("hearth_operation_typical_seconds", "How long an operation takes by the domain's table.", "operation", "bound"),
	}
}

// Describe tells the descriptions of all metrics.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.state, c.objects, c.ready, c.unnamed, c.overdue, c.late, c.model} {
		ch <- d
	}
}

// Collect tells the present values.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	list := c.watcher.All()
	byState, ready := map[[2]string]int{}, map[string]int{}
	for i, o := range list {
		kind := observe.DomainKind(o.Kind)
		byState[[2]string{kind, string(o.State)}]++
		if _, known := ready[kind]; !known || o.Ready {
			ready[kind] += one(o.Ready)
		}
		if i < maxObjects {
			gauge(c.state, 1, o.Kind, o.Namespace, o.Name, string(o.State))
		}
	}
	for key, n := range byState {
		gauge(c.objects, float64(n), key[0], key[1])
	}
	for kind, n := range ready {
		gauge(c.ready, float64(n), kind)
	}
	gauge(c.unnamed, float64(max(0, len(list)-maxObjects)))
	c.collectLate(gauge)
	for _, d := range domain.LifecycleDurations() {
		gauge(c.model, d.Typical.Min.Seconds(), string(d.Operation), "min")
		gauge(c.model, d.Typical.Max.Seconds(), string(d.Operation), "max")
		if d.Timeout > 0 {
			gauge(c.model, d.Timeout.Seconds(), string(d.Operation), "timeout")
		}
	}
}

func (c collector) collectLate(gauge func(d *prometheus.Desc, v float64, labels ...string)) {
	byRule := map[[2]string]int{}
	for _, r := range domain.TemporalRules() {
		byRule[[2]string{r.Kind, r.Name}] = 0
	}
	for i, l := range c.watcher.Overdue(time.Now()) {
		byRule[[2]string{observe.DomainKind(l.Kind), l.Rule}]++
		if i < maxObjects {
			gauge(c.overdue, 1, l.Kind, l.Namespace, l.Name, l.Rule)
		}
	}
	for key, n := range byRule {
		gauge(c.late, float64(n), key[0], key[1])
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
