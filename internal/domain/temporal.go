package domain

import "time"

// Further defaults of judgement, beside those of the model's tables.
const (
	// SourceFetchTimeout bounds one fetch of a source that sets no timeout.
	SourceFetchTimeout = time.Minute
	// RenewalGrace is how long after its renewal was due a certificate may be
	// the old one still.
	RenewalGrace = time.Hour
)

// TemporalRule says what must have happened by when.
type TemporalRule struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Limit is how long it may take where the object does not say; 0 where it
	// is bound to no length.
	Limit   time.Duration `json:"limit"`
	Meaning string        `json:"meaning"`
}

// The names of the temporal rules.
const (
	RuleReconcileOverdue = "reconcile-overdue"
	RuleReconcileLong    = "reconcile-long"
	RuleInstallOverdue   = "install-overdue"
	RuleRetriesUsedUp    = "retries-used-up"
	RuleRefreshOverdue   = "refresh-overdue"
	RuleSyncLong         = "sync-long"
	RulePullLong         = "pull-long"
	RuleBackOff          = "back-off"
	RuleFetchLong        = "fetch-long"
	RuleRenewalOverdue   = "renewal-overdue"
)

// TemporalRules returns the rules that are watched.
func TemporalRules() []TemporalRule {
	return []TemporalRule{
		{RuleReconcileOverdue, "Kustomization", KustomizationInterval, "its interval has passed, and nothing was reconciled"},
		{RuleReconcileLong, "Kustomization", FluxReconcile.Timeout(), "a reconcile has been under way for longer than its timeout"},
		{RuleInstallOverdue, "HelmRelease", ReleaseOverdueAfter, "it has been Reconciling for too long"},
		{RuleRetriesUsedUp, "HelmRelease", 0, "it is not tried again: it needs a change, or a forced reconcile"},
		{RuleRefreshOverdue, "ExternalSecret", SecretRefreshInterval, "its refresh interval has passed, and the vault was not read"},
		{RuleSyncLong, "ExternalSecret", SecretSync.Timeout(), "it has been Syncing for too long"},
		{RulePullLong, "Pod", ImagePullUncached.Timeout(), "it has been pulling images for too long"},
		{RuleBackOff, "Pod", CrashBackoffCap, "a container waits for its next restart"},
		{RuleFetchLong, "Source", SourceFetchTimeout, "a fetch has been under way for longer than its timeout"},
		{RuleRenewalOverdue, "Certificate", RenewalGrace, "its renewal was due, and the certificate is the old one"},
	}
}

// TemporalLimit returns the limit of a rule.
func TemporalLimit(name string) time.Duration {
	for _, r := range TemporalRules() {
		if r.Name == name {
			return r.Limit
		}
	}
	return 0
}

// Timeout returns when the operation is overdue; 0 for one whose time varies or
// that is not in the table.
func (o Operation) Timeout() time.Duration {
	for _, d := range LifecycleDurations() {
		if d.Operation == o {
			return d.Timeout
		}
	}
	return 0
}

// OperationOf returns the operation that an object is in the midst of while it
// is in a state; ok is false where the model's table has none.
func OperationOf(kind string, s State) (o Operation, ok bool) {
	switch {
	case kind == "Kustomization" && (s == KustomizationFetching || s == KustomizationBuilding || s == KustomizationApplying):
		return FluxReconcile, true
	case kind == "HelmRelease" && s == ReleaseReconciling:
		return ReleaseInstall, true
	case kind == "ExternalSecret" && s == SecretSyncing:
		return SecretSync, true
	case kind == "Pod" && s == PodPullingImages:
		return ImagePullUncached, true
	case kind == "Pod" && s == PodStarting:
		return PodStartup, true
	}
	return "", false
}
