package causes

import (
	"testing"
	"time"

	"hearth/internal/diagnose"
	"hearth/internal/domain"
	"hearth/internal/observe"
)

// TestDNSProviderRecovers no longer blames a provider once External-DNS says
// that its records are up to date again: events count in whole seconds.
func TestDNSProviderRecovers(t *testing.T) {
	for _, later := range []time.Duration{-time.Second, 0, time.Second} {
		s := tell(t, "variants/dns-provider-down--event-of-the-pod")
		pod := domain.Ref{Kind: "Pod", Namespace: "network", Name: "external-dns-1-a"}
		failed := s.world.Events(diagnose.Pod.Key(pod.Namespace, pod.Name))[0].Time
		s.world.AddEvent(observe.Happening{Type: "Normal", Reason: "RecordReady", Object: pod, Time: failed.Add(later)})
		found := len(Explain(t.Context(), s.world, diagnose.Options{}).Findings)
		if want := later < 0; (found > 0) != want {
			t.Errorf("%s after the failure: found %d causes, want any: %v", later, found, want)
		}
	}
}
