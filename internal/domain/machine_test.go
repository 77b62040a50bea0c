package domain

import (
	"testing"
	"time"
)

func TestAllows(t *testing.T) {
	for _, test := range []struct {
		machine  string
		from, to State
		want     bool
	}{
		{"kustomization", Absent, KustomizationIdle, true},
		{"kustomization", KustomizationApplying, KustomizationReady, true},
		{"kustomization", KustomizationFetching, KustomizationReady, false},
		{"HelmRelease", ReleaseFailed, ReleaseReconciling, true},
		{"HelmRelease", ReleasePending, ReleaseReady, false},
		{"externalsecret", SecretRefreshing, SecretUpdated, true},
		{"externalsecret", SecretReady, SecretFailed, false},
		{"Pod", PodFailed, PodPullingImages, true},
		{"Pod", PodPullingImages, PodWaitingSecrets, false},
		{"Pod", PodRunning, PodRunning, false},
		{"Pod", PodTerminating, Absent, true},
		{"HTTPRoute", RouteFailed, RouteReady, true},
		{"Gateway", GatewayPending, GatewayReady, false},
		{"PersistentVolumeClaim", ClaimLost, ClaimBound, false},
		{"Certificate", CertificateExpired, CertificateReady, false},
		{"Cluster", DatabaseCreating, DatabaseReady, true},
		{"Database", DatabasePending, DatabaseReady, false},
		{"Node", NodeReady, NodeUnreachable, true},
		{"GitRepository", SourceReady, SourceFailed, false},
	} {
		m, ok := MachineFor(test.machine)
		if !ok {
			t.Fatalf("there is no machine %q", test.machine)
		}
		if got := m.Allows(test.from, test.to); got != test.want {
			t.Errorf("%s: Allows(%s, %s) = %v", m.Name, test.from, test.to, got)
		}
	}
	if _, ok := MachineFor("Deployment"); ok {
		t.Error("Deployment has a machine")
	}
}

// TestMachinesAreWhole holds what every machine must be, whatever it says.
func TestMachinesAreWhole(t *testing.T) {
	for _, m := range AllMachines() {
		if !m.Allows(Absent, m.Initial) {
			t.Errorf("%s: nothing leads to its initial state", m.Name)
		}
		reached := map[State]bool{Absent: true}
		for grew := true; grew; {
			grew = false
			for _, e := range m.Transitions {
				if reached[e.From] && !reached[e.To] {
					reached[e.To], grew = true, true
				}
			}
		}
		for _, s := range m.States {
			if !reached[s.State] {
				t.Errorf("%s: %s cannot be reached", m.Name, s.State)
			}
			if s.Meaning == "" {
				t.Errorf("%s: %s has no meaning", m.Name, s.State)
			}
		}
		for _, e := range m.Transitions {
			for _, s := range []State{e.From, e.To} {
				if _, ok := m.Info(s); !ok && s != Absent {
					t.Errorf("%s: %s → %s names an unknown state", m.Name, e.From, e.To)
				}
			}
		}
		for _, s := range m.Final() {
			if info, _ := m.Info(s); !info.Terminal {
				t.Errorf("%s: %s is final but not terminal", m.Name, s)
			}
		}
	}
}

func TestBackoff(t *testing.T) {
	want := []time.Duration{10, 20, 40, 80, 160, 300, 300}
	for i, w := range want {
		if got := CrashBackoff(i + 1); got != w*time.Second {
			t.Errorf("restart %d waits %s, not %s", i+1, got, w*time.Second)
		}
	}
	if got := Backoff(time.Second, 1<<62, 200); got != 1<<62 {
		t.Errorf("a long series ends at %s", got)
	}
	if got := Backoff(time.Minute, time.Second, 1); got != time.Second {
		t.Errorf("a limit below the start gives %s", got)
	}
}

func TestShortDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Hour: "1h", 90 * time.Minute: "1h30m", 30 * time.Second: "30s", 0: "0s",
		time.Hour + time.Second: "1h0m1s", 10 * time.Minute: "10m",
	} {
		if got := ShortDuration(d); got != want {
			t.Errorf("ShortDuration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestEventsName(t *testing.T) {
	ref := Ref{Kind: "X", Namespace: "a", Name: "b"}
	now := time.Now()
	events := []Event{
		FluxReconciled{Kustomization: ref, Time: now}, SecretSynced{ExternalSecret: ref, Time: now},
		HelmReleaseReady{Release: ref, Time: now}, HTTPRouteCreated{Route: ref, Time: now},
	}
	for i, m := range EventMeanings() {
		if e := events[i]; e.EventName() != m.Name || e.Subject() != ref || !e.When().Equal(now) {
			t.Errorf("%T: name %q, subject %v, time %v", e, e.EventName(), e.Subject(), e.When())
		}
	}
}
