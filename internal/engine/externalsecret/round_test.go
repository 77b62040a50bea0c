package externalsecret

import (
	"testing"
	"time"
)

func TestRounds(t *testing.T) {
	var r rounds
	noon := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(after time.Duration) time.Time { return noon.Add(after) }
	join := func(after, want time.Duration) func() {
		t.Helper()
		got, leave := r.join(at(after))
		if got != at(want) {
			t.Errorf("after %s: what was read since %s, want %s", after, got.Sub(noon), want)
		}
		return leave
	}
	first := join(0, -lull)
	second := join(30*time.Second, -lull)
	first()
	third := join(time.Minute, -lull) // the second is still under way
	second()
	third()
	join(70*time.Second, 60*time.Second)() // nothing was: another round

	begin := join(5*time.Minute, 5*time.Minute-lull)
	join(7*time.Minute, 5*time.Minute-lull)()
	long := 7*time.Minute + time.Second
	join(long, long-lull)() // it has lasted long enough
	begin()
	if r.joined != 0 {
		t.Errorf("%d have not left", r.joined)
	}
}
