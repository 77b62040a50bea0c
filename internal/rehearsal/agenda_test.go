package rehearsal

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAgenda(t *testing.T) {
	var a agenda
	a.add(&appointment{at: time.Hour, what: "hourly", every: time.Hour})
	a.add(&appointment{at: time.Hour, what: "once"})
	a.add(&appointment{at: 90 * time.Minute, what: "twice", next: func(at time.Duration) (time.Duration, bool) { return 150 * time.Minute, at < 2*time.Hour }})
	a.add(&appointment{at: 3 * time.Hour, what: "alone", alone: true})
	a.add(&appointment{at: 9 * time.Hour, what: "never"})
	var got []string
	for list := a.due(3*time.Hour, time.Minute); list != nil; list = a.due(3*time.Hour, time.Minute) {
		if list[0].alone && len(list) > 1 {
			t.Errorf("%s was kept together with %s", list[0].what, list[1].what)
		}
		for _, p := range list {
			got = append(got, p.what+" "+p.at.String())
		}
	}
	want := []string{"hourly 1h0m0s", "once 1h0m0s", "twice 1h30m0s", "hourly 2h0m0s", "twice 2h30m0s", "hourly 3h0m0s", "alone 3h0m0s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was due differs (-want +got):\n%s", diff)
	}
}

func TestModelClock(t *testing.T) {
	c := newModelClock(3600)
	before := time.Now()
	if !c.jump(t.Context(), time.Second) || !c.jump(t.Context(), 2*time.Second) {
		t.Fatal("the clock stopped")
	}
	if got := c.at(before.Add(-time.Hour)); got != 0 {
		t.Errorf("before the beginning it is %s", got)
	}
	if got := c.at(time.Now()); got != 2*time.Second {
		t.Errorf("now it is %s", got)
	}
}
