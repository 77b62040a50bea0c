package inputprovider

import (
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/runtime/conditions"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
)

func TestASchedulesWindow(t *testing.T) {
	w := newWorld(t)
	w.spec("type: Static\nschedule: [{cron: '0 14 * * *', timeZone: Europe/Berlin, window: 1h}]")
	// 12:30 UTC is 13:30 in Berlin: half an hour too early.
	p, result := w.reconcile()
	if result.RequeueAfter != 30*time.Minute || conditions.GetReason(p, "Ready") != "SkippedDueToSchedule" || len(p.Status.ExportedInputs) != 0 {
		t.Errorf("before the window: %v, next in %s", conditions.Get(p, "Ready"), result.RequeueAfter)
	}
	if next := p.Status.NextSchedule; next == nil || next.Cron != "0 14 * * *" || !next.When.Time.Equal(w.now.Add(30*time.Minute)) {
		t.Errorf("the next time is %+v", next)
	}
	w.now = w.now.Add(40 * time.Minute)
	p, result = w.reconcile()
	if len(p.Status.ExportedInputs) != 1 || result.RequeueAfter != 10*time.Minute {
		t.Errorf("in the window: %v, next in %s", conditions.Get(p, "Ready"), result.RequeueAfter)
	}
	w.now = w.now.Add(49 * time.Minute) // too late to end in the window
	if _, result = w.reconcile(); result.RequeueAfter < 20*time.Hour {
		t.Errorf("after the window: next in %s", result.RequeueAfter)
	}
	w.spec("type: Static\ndefaultValues: {a: b}\nschedule: [{cron: '0 14 * * *', timeZone: Europe/Berlin, window: 1h}]")
	if p, _ = w.reconcile(); len(p.Status.ExportedInputs[0]) != 1 {
		t.Error("a new spec is exported outside of the window")
	}
	w.annotate("reconcile.fluxcd.io/requestedAt", "now")
	w.annotate("reconcile.fluxcd.io/forceAt", "now")
	if p, _ = w.reconcile(); len(p.Status.ExportedInputs[0]) != 2 || p.Status.LastHandledForceAt != "now" {
		t.Error("a forced reconcile does not happen")
	}
}

func TestAScheduleWithoutAWindowAddsTimes(t *testing.T) {
	w := newWorld(t)
	w.spec("type: Static\nschedule: [{cron: '32 * * * *', window: 0s}]")
	p, result := w.reconcile()
	if len(p.Status.ExportedInputs) != 1 || result.RequeueAfter != 2*time.Minute || p.Status.NextSchedule == nil {
		t.Errorf("next in %s, %+v", result.RequeueAfter, p.Status.NextSchedule)
	}
}

func TestASchedulesFaults(t *testing.T) {
	w := newWorld(t)
	for schedule, want := range map[string]string{
		"{cron: 'every day', window: 0s}":                      "failed to parse cron spec",
		"{cron: '0 0 * * *', timeZone: Nowhere/X, window: 0s}": "Nowhere/X",
		"{cron: 'TZ=UTC', window: 0s}":                         "belongs into timeZone",
		"{cron: '0 0 * * *', window: 1m}":                      "at least twice the timeout",
		"{cron: '0 0 31 2 *', window: 0s}":                     "never comes",
	} {
		w.spec("type: Static\nschedule: [" + schedule + "]")
		if message := w.fails("InvalidSchedule"); !strings.Contains(message, want) {
			t.Errorf("%s: %s", schedule, message)
		}
	}
}

func TestTheLastTimeOfASchedule(t *testing.T) {
	for cron, want := range map[string]string{
		"0 0 29 2 *":   "2024-02-29T00:00:00Z",
		"*/15 * * * *": "2026-03-04T12:30:00Z",
		"31 12 * * *":  "2026-03-03T12:31:00Z",
	} {
		s, err := newSchedule([]fluxcdv1.Schedule{{Cron: cron, TimeZone: "UTC", Window: metav1.Duration{Duration: time.Hour}}}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)
		if got := s.entries[0].last(now).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s came last at %s, want %s", cron, got, want)
		}
	}
}

func FuzzSchedule(f *testing.F) {
	f.Add("0 0 29 2 *", "UTC")
	f.Add("@every 1s", "")
	f.Add("TZ=UTC", "")
	f.Add("CRON_TZ=x * * * * *", "Europe/Berlin")
	f.Fuzz(func(t *testing.T, cron, zone string) {
		s, err := newSchedule([]fluxcdv1.Schedule{{Cron: cron, TimeZone: zone, Window: metav1.Duration{Duration: time.Hour}}}, time.Minute)
		if err != nil {
			return
		}
		now := time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)
		s.allows(now)
		if next := s.next(now); !next.When.After(now) {
			t.Errorf("%q comes next at %s", cron, next.When)
		}
	})
}
