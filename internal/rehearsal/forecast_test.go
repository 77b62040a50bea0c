package rehearsal

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/domain"
)

func named(name string) task { return task{Ref: domain.Ref{Kind: "Kustomization", Name: name}} }

func TestForecastFollowsTheLongestChain(t *testing.T) {
	f := newForecast()
	f.add(named("a"), 10*time.Second)
	f.add(named("b"), 5*time.Second, named("a"))
	f.add(named("c"), 20*time.Second)
	f.add(named("d"), time.Second, named("b"), named("c"), named("unknown"))
	want := []Step{
		{Ref: named("c").Ref, PredictedSeconds: 20},
		{Ref: named("d").Ref, PredictedSeconds: 21},
	}
	if diff := cmp.Diff(want, f.criticalPath()); diff != "" {
		t.Errorf("critical path differs (-want +got):\n%s", diff)
	}
}

func TestForecastShowsAnObjectOnce(t *testing.T) {
	f := newForecast()
	ready := named("a")
	f.add(applied(ready.Ref), 3*time.Second)
	f.add(ready, 0, applied(ready.Ref))
	want := []Step{{Ref: ready.Ref, PredictedSeconds: 3}}
	if diff := cmp.Diff(want, f.criticalPath()); diff != "" {
		t.Errorf("critical path differs (-want +got):\n%s", diff)
	}
}

func TestForecastOfACycleEnds(t *testing.T) {
	f := newForecast()
	f.add(named("a"), time.Second, named("b"))
	f.add(named("b"), time.Second, named("a"))
	if got := f.done(named("a")); got != 2*time.Second {
		t.Errorf("a is done after %v, want 2s", got)
	}
}

func TestForecastOfNothing(t *testing.T) {
	if got := newForecast().criticalPath(); got != nil {
		t.Errorf("critical path of nothing is %v", got)
	}
}
