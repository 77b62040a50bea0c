package reloader

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPauses(t *testing.T) {
	noon := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, period, since string
		paused              bool
		at                  string // what a restart at noon notes
		fails               bool
		left                time.Duration // at noon
	}{
		{name: "no period"},
		{name: "a period", period: "5m", at: "2024-01-01T12:00:00Z"},
		{name: "no duration", period: "soon", fails: true},
		{name: "backwards", period: "-5m", fails: true},
		{name: "paused", period: "5m", since: "2024-01-01T11:57:00Z", paused: true, left: 2 * time.Minute},
		{name: "long enough", period: "5m", since: "2024-01-01T11:55:00Z", paused: true},
		{name: "a clock that is behind", period: "5m", since: "2024-01-01T13:00:00Z", paused: true, left: 5 * time.Minute},
		{name: "the period is gone", since: "2024-01-01T11:57:00Z", paused: true},
		{name: "no time", period: "5m", since: "noon", paused: true},
		{name: "paused by somebody", period: "5m", paused: true},
	} {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{}}}
		d.Spec.Paused = tt.paused
		for name, value := range map[string]string{pausePeriodAnnotation: tt.period, pausedAtAnnotation: tt.since} {
			if value != "" {
				d.Annotations[name] = value
			}
		}
		at, err := pauseAfter(workload{object: d}, noon)
		if at != tt.at || (err != nil) != tt.fails {
			t.Errorf("%s: paused at %q, %v", tt.name, at, err)
		}
		if isHeld(d) != (tt.since != "") {
			t.Errorf("%s: held %v", tt.name, isHeld(d))
		}
		if left := max(0, pauseLeft(d, noon)); left != tt.left {
			t.Errorf("%s: %s left, want %s", tt.name, left, tt.left)
		}
	}
	if at, err := pauseAfter(workload{object: &appsv1.StatefulSet{}}, noon); at != "" || err != nil {
		t.Errorf("a StatefulSet is paused: %q, %v", at, err)
	}
}
