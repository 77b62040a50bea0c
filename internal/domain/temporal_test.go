package domain

import (
	"testing"
	"time"
)

func TestTemporalRulesFollowTheTables(t *testing.T) {
	for name, want := range map[string]time.Duration{
		RuleReconcileOverdue: time.Hour, RuleReconcileLong: 5 * time.Minute, RuleInstallOverdue: 10 * time.Minute,
		RuleRefreshOverdue: 12 * time.Hour, RuleSyncLong: time.Minute, RulePullLong: 5 * time.Minute, RuleBackOff: 5 * time.Minute,
		"another": 0,
	} {
		if got := TemporalLimit(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	for _, r := range TemporalRules() {
		if _, ok := MachineFor(r.Kind); !ok || r.Meaning == "" {
			t.Errorf("%s: kind %q has no machine, or the rule no meaning", r.Name, r.Kind)
		}
	}
}

func TestOperationOf(t *testing.T) {
	if o, ok := OperationOf("HelmRelease", ReleaseReconciling); !ok || o != ReleaseInstall {
		t.Errorf("a release that is Reconciling: %s, %v", o, ok)
	}
	if o, ok := OperationOf("Pod", PodRunning); ok {
		t.Errorf("a pod that runs is in the midst of %s", o)
	}
}

func TestCertificateBackoff(t *testing.T) {
	for n, want := range map[int]time.Duration{0: time.Hour, 1: time.Hour, 2: 2 * time.Hour, 6: 32 * time.Hour, 9: 32 * time.Hour} {
		if got := CertificateBackoff(n); got != want {
			t.Errorf("after %d failures: %s, want %s", n, got, want)
		}
	}
}

func TestFurtherEventsName(t *testing.T) {
	ref := Ref{Kind: "X", Namespace: "a", Name: "b"}
	now := time.Now()
	events := []Event{
		DriftCorrected{Reconciler: ref, Time: now}, PodRestarted{Pod: ref, Time: now},
		ImagePulled{Pod: ref, Time: now}, DependencyBlocked{Object: ref, Time: now},
	}
	for i, m := range FurtherEventMeanings() {
		if e := events[i]; e.EventName() != m.Name || e.Subject() != ref || !e.When().Equal(now) {
			t.Errorf("%T: name %q, subject %v, time %v", e, e.EventName(), e.Subject(), e.When())
		}
	}
}
