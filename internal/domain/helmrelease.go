package domain

import "time"

// The states of a HelmRelease.
const (
	ReleasePending     State = "Pending"
	ReleaseReconciling State = "Reconciling"
	ReleaseReady       State = "Ready"
	ReleaseFailed      State = "Failed"
	ReleaseDeleting    State = "Deleting"
)

var releaseMachine = Machine{
	Name:    "helmrelease",
	Kind:    "HelmRelease",
	Meaning: "how a chart and its values become a release; Ready says that Helm succeeded, not that pods run",
	Initial: ReleasePending,
	States: []StateInfo{
		{State: ReleasePending, Meaning: "chart or values unresolved, or a dependency is not ready"},
		{State: ReleaseReconciling, Meaning: "Helm installs, upgrades, tests or remediates"},
		{State: ReleaseReady, Meaning: "Helm succeeded", Ready: true},
		{State: ReleaseFailed, Meaning: "Helm failed; after the last retry only a change or a forced reconcile helps", Failed: true},
		{State: ReleaseDeleting, Meaning: "being uninstalled", Terminal: true},
	},
	Transitions: []Transition{
		{From: Absent, To: ReleasePending, Trigger: "created"},
		{From: ReleasePending, To: ReleaseReconciling, Trigger: "chart and values at hand", Duration: Duration{Nature: Seconds}},
		{From: ReleaseReconciling, To: ReleaseReady, Trigger: "install or upgrade succeeded",
			Duration: Duration{Nature: Ranged, Range: Range{30 * time.Second, 5 * time.Minute}}},
		{From: ReleaseReconciling, To: ReleaseFailed, Trigger: "chart, values or a Secret at fault", Duration: Duration{Nature: Variable}},
		{From: ReleaseReady, To: ReleaseReconciling, Trigger: "values or chart changed in Git", Duration: Duration{Nature: Immediate}},
		{From: ReleaseFailed, To: ReleaseReconciling, Trigger: "remediation (3 retries at most), or a fix", Duration: Duration{Nature: Exponential}},
		{From: ReleaseReady, To: ReleaseDeleting, Trigger: "removed from Git", Duration: Duration{Nature: Immediate}},
		{From: ReleaseFailed, To: ReleaseDeleting, Trigger: "removed from Git", Duration: Duration{Nature: Immediate}},
		{From: ReleaseDeleting, To: Absent, Trigger: "uninstalled"},
	},
}
