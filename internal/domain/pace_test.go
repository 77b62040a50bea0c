package domain_test

import (
	"testing"
	"time"

	"hearth/internal/domain"
)

func TestParsePace(t *testing.T) {
	tests := []struct {
		text string
		want domain.Pace
		ok   bool
	}{
		{"instant", domain.Instant, true},
		{"real", domain.RealPace, true},
		{"60x", 60, true},
		{"0.5x", 0.5, true},
		{"60", 0, false},
		{"0x", 0, false},
		{"-1x", 0, false},
		{"NaNx", 0, false},
		{"1e9x", 0, false},
		{"", 0, false},
	}
	for _, test := range tests {
		got, err := domain.ParsePace(test.text)
		if (err == nil) != test.ok || got != test.want {
			t.Errorf("ParsePace(%q) = %v, %v; want %v, ok %v", test.text, got, err, test.want, test.ok)
		}
		if test.ok && got.String() != test.text {
			t.Errorf("ParsePace(%q).String() = %q", test.text, got.String())
		}
	}
}

func TestPaceScales(t *testing.T) {
	for pace, want := range map[domain.Pace]time.Duration{domain.Instant: 0, domain.RealPace: time.Minute, 60: time.Second} {
		if got := pace.Scale(time.Minute); got != want {
			t.Errorf("a minute at pace %s takes %v, want %v", pace, got, want)
		}
	}
}

func TestDrawRepeatsAndStaysInRange(t *testing.T) {
	r := domain.Range{Min: 10 * time.Second, Max: 2 * time.Minute}
	seen := map[time.Duration]bool{}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		first, again := r.Draw(1, name), r.Draw(1, name)
		if first != again {
			t.Errorf("two draws for %q differ: %v, %v", name, first, again)
		}
		if first < r.Min || first > r.Max {
			t.Errorf("the draw for %q, %v, is out of range", name, first)
		}
		seen[first] = true
	}
	if len(seen) < 3 {
		t.Errorf("five names drew %d durations", len(seen))
	}
	if r.Draw(1, "a") == r.Draw(2, "a") {
		t.Error("two seeds drew the same duration")
	}
}

func TestAssumptionsKeepTheFirstReason(t *testing.T) {
	var a domain.Assumptions
	a.Add(domain.AssumedSecret, "immich/DB_PASSWORD", "no vault")
	a.Add(domain.AssumedChart, "oci://example.com/x:1", "offline")
	a.Add(domain.AssumedChart, "oci://example.com/x:1", "again")
	got := a.List()
	if len(got) != 2 || got[0].Reason != "offline" || got[1].Kind != domain.AssumedSecret {
		t.Errorf("List() = %v", got)
	}
}

func TestSlownessIsFeltAtEveryPace(t *testing.T) {
	for pace, want := range map[domain.Pace]time.Duration{domain.Instant: 30 * time.Second, domain.RealPace: 10 * time.Minute, 60: 10 * time.Second} {
		if got := pace.Slow(10 * time.Minute); got != want {
			t.Errorf("ten minutes of slowness at pace %s take %v, want %v", pace, got, want)
		}
	}
	if got := domain.Instant.Slow(time.Second); got != time.Second {
		t.Errorf("a second of slowness takes %v", got)
	}
}
