package helmrelease

import (
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestDigestsAsFlux holds the digests to those that helm-controller 1.6 gives
// the same release.
func TestDigestsAsFlux(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678900000, time.UTC)
	rel := &releasev1.Release{
		Name: "demo", Namespace: "ns", Version: 2, Manifest: "a: 1\n",
		Config: map[string]any{"b": map[string]any{"y": 1.5, "x": []any{"z", map[string]any{"k": nil, "a": true}}}, "a": 3},
		Info:   &releasev1.Info{Status: common.StatusDeployed, FirstDeployed: at, LastDeployed: at.Add(time.Hour), Description: "Upgrade complete"},
		Chart:  &chart.Chart{Metadata: &chart.Metadata{Name: "demo", Version: "1.0.0", AppVersion: "7", APIVersion: "v2"}},
		Hooks: []*releasev1.Hook{
			{Name: "pre", Path: "p", Manifest: "m", Events: []releasev1.HookEvent{releasev1.HookPreInstall}, LastRun: releasev1.HookExecution{StartedAt: at, CompletedAt: at, Phase: "Succeeded"}},
			{Name: "test", Path: "t", Manifest: "n", Events: []releasev1.HookEvent{releasev1.HookTest}},
		},
	}
	for oci, want := range map[string]string{"": "sha256:e17557d3076fbaa58113498096a32510eceb43c21fc8038ff01ee8cafbb67d9a", "sha256:0123": "sha256:1a1999cb31858cadd1d16411ecbda7774746a3c0be2dcd882ddbcf3e42a0e837"} {
		snapshot, err := snapshotOf(rel, oci)
		if err != nil {
			t.Fatal(err)
		}
		if snapshot.Digest != want || snapshot.ConfigDigest != "sha256:7f6bd6819d259aee0431ec9f82aee47e3ebee3a8a4157cf7ba02317881b8a3d3" || snapshot.OCIDigest != oci {
			t.Errorf("snapshot %+v", snapshot)
		}
		if err := verifyObserved(snapshot, rel); err != nil {
			t.Error(err)
		}
		// What was digested in another way is not taken for changed.
		snapshot.APIVersion, snapshot.Digest = "v1beta2", "sha256:other"
		if err := verifyObserved(snapshot, rel); err != nil {
			t.Error(err)
		}
	}
	if got, err := digestOfValues(map[string]any{}); err != nil || got != "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("no values: %s, %v", got, err)
	}
}

// TestActionTimeouts takes the timeout of an action, else that of the spec.
func TestActionTimeouts(t *testing.T) {
	own := func(n time.Duration) *metav1.Duration { return &metav1.Duration{Duration: n * time.Second} }
	s := newStep(t, func(hr *helmv2.HelmRelease) {
		hr.Spec.Timeout = own(9)
		hr.Spec.Install, hr.Spec.Upgrade = &helmv2.Install{Timeout: own(1)}, &helmv2.Upgrade{Timeout: own(2)}
		hr.Spec.Test = &helmv2.Test{Enable: true, Timeout: own(3)}
	})
	if got := s.installMove().timeout; got != time.Second {
		t.Errorf("install: %s", got)
	}
	if got := s.upgradeMove().timeout; got != 2*time.Second {
		t.Errorf("upgrade: %s", got)
	}
	test, err := s.decide(stateUntested)
	if err != nil || test.timeout != 3*time.Second {
		t.Errorf("test: %+v, %v", test, err)
	}
	locked, err := s.decide(stateLocked)
	if err != nil || locked.timeout != 9*time.Second {
		t.Errorf("unlock: %+v, %v", locked, err)
	}
	// A failed upgrade is uninstalled within that action's own timeout.
	strategy := helmv2.UninstallRemediationStrategy
	s.hr.Spec.Upgrade.Remediation = &helmv2.UpgradeRemediation{Retries: 1, Strategy: &strategy}
	s.hr.Spec.Uninstall, s.hr.Spec.Rollback = &helmv2.Uninstall{Timeout: own(4)}, &helmv2.Rollback{Timeout: own(5)}
	s.hr.Status.LastAttemptedReleaseAction, s.hr.Status.UpgradeFailures = helmv2.ReleaseActionUpgrade, 1
	remedy, err := s.decide(stateFailed)
	if err != nil || remedy.name != "uninstall" || remedy.timeout != 4*time.Second {
		t.Errorf("uninstall: %+v, %v", remedy, err)
	}
	if got := s.rollbackMove(&helmv2.Snapshot{Version: 1}).timeout; got != 5*time.Second {
		t.Errorf("rollback: %s", got)
	}
}

// TestObsoleteFieldsAreEmptied clears what older versions wrote in the status.
func TestObsoleteFieldsAreEmptied(t *testing.T) {
	s := newStep(t, func(hr *helmv2.HelmRelease) {
		hr.Status.LastAttemptedValuesChecksum, hr.Status.LastReleaseRevision = "old", 3
	})
	s.countAnew()
	if s.hr.Status.LastAttemptedValuesChecksum != "" || s.hr.Status.LastReleaseRevision != 0 {
		t.Errorf("status: %+v", s.hr.Status)
	}
}
