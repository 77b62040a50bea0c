package domain

import "time"

// Defaults of the reconciliation cycles. What a repository says wins.
const (
	// KustomizationInterval is how often a Kustomization looks at its source.
	KustomizationInterval = time.Hour
	// ReleaseInterval is how often a HelmRelease is compared with its chart and values.
	ReleaseInterval = time.Hour
	// SecretRefreshInterval is how often an ExternalSecret reads the vault.
	SecretRefreshInterval = 12 * time.Hour
	// SecretRefreshJitter is the most that is added to a refresh, so that
	// secrets do not all ask the vault at once.
	SecretRefreshJitter = time.Minute
	// SecretRefreshMinimum is the shortest refresh interval that is allowed; 0 means never.
	SecretRefreshMinimum = time.Minute
	// ImageUpdateHour is the hour of the day at which image updates are looked for.
	ImageUpdateHour = 2
)

// Thresholds of judgement.
const (
	// ReleaseStuckAfter is how long a HelmRelease may be Reconciling before it is diagnosed as stuck.
	ReleaseStuckAfter = 5 * time.Minute
	// ReleaseOverdueAfter is how long a HelmRelease may be Reconciling before it is called overdue.
	ReleaseOverdueAfter = 10 * time.Minute
)

// Reconciliation says when something is looked at again.
type Reconciliation struct {
	Component string        `json:"component"`
	Interval  time.Duration `json:"interval"`
	// Schedule is set where the interval is bound to a time of day.
	Schedule string        `json:"schedule,omitempty"`
	Triggers []string      `json:"triggers"`
	Jitter   time.Duration `json:"jitter"` // at most; 0 is none
}

// ReconciliationTiming returns how often each component reconciles, and what
// makes it do so earlier.
func ReconciliationTiming() []Reconciliation {
	return []Reconciliation{
		{Component: "Kustomization", Interval: KustomizationInterval, Triggers: []string{"webhook", "manual"}},
		{Component: "HelmRelease", Interval: ReleaseInterval, Triggers: []string{"values change"}},
		{Component: "ExternalSecret", Interval: SecretRefreshInterval, Triggers: []string{"manual refresh"}, Jitter: SecretRefreshJitter},
		{Component: "Renovate", Interval: 24 * time.Hour, Schedule: "daily at 02:00", Triggers: []string{"schedule"}},
	}
}

// Operation is something that takes a typical time.
type Operation string

// The operations whose durations are known.
const (
	FluxReconcile     Operation = "Flux reconcile"
	ReleaseInstall    Operation = "HelmRelease install"
	SecretSync        Operation = "ExternalSecret sync"
	ImagePullCached   Operation = "Image pull (cached)"
	ImagePullUncached Operation = "Image pull (uncached)"
	PodStartup        Operation = "Pod startup"
)

// OperationDuration says how long an operation typically takes at real pace.
type OperationDuration struct {
	Operation Operation `json:"operation"`
	Typical   Range     `json:"typical"`
	// Timeout is when the operation is overdue; 0 means that it varies.
	Timeout time.Duration `json:"timeout"`
}

// LifecycleDurations returns how long each operation typically takes.
func LifecycleDurations() []OperationDuration {
	return []OperationDuration{
		{FluxReconcile, Range{10 * time.Second, 30 * time.Second}, 5 * time.Minute},
		{ReleaseInstall, Range{time.Minute, 5 * time.Minute}, ReleaseOverdueAfter},
		{SecretSync, Range{2 * time.Second, 10 * time.Second}, time.Minute},
		{ImagePullCached, Range{time.Second, 5 * time.Second}, time.Minute},
		{ImagePullUncached, Range{10 * time.Second, 2 * time.Minute}, 5 * time.Minute},
		{PodStartup, Range{10 * time.Second, time.Minute}, 0},
	}
}

// Typical returns how long the operation typically takes; the zero Range for
// an operation that is not in the table.
func (o Operation) Typical() Range {
	for _, d := range LifecycleDurations() {
		if d.Operation == o {
			return d.Typical
		}
	}
	return Range{}
}
