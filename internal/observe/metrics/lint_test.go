package metrics

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

// TestNamesByConvention holds the names and helps to Prometheus' own linter,
// with a series of every family.
func TestNamesByConvention(t *testing.T) {
	o := &observed{
		objects: []observe.Object{object("HelmRelease", "immich", "Failed")},
		late:    []observe.Late{{Ref: ref("HelmRelease", "immich"), Rule: domain.RuleRetriesUsedUp}},
	}
	m := New(o)
	o.transition(observe.Transition{Ref: ref("HelmRelease", "immich"), From: domain.ReleaseReconciling, To: domain.ReleaseFailed, Lasted: time.Minute})
	o.transition(observe.Transition{Ref: ref("HelmRelease", "immich"), From: domain.ReleaseFailed, To: domain.ReleaseReconciling, Lasted: time.Second})
	o.event(domain.HelmReleaseReady{})
	families, err := testutil.GatherAndCount(m.registry)
	if err != nil || families == 0 {
		t.Fatalf("%d series: %v", families, err)
	}
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
