package domain

import "time"

// Defaults of retries. What a repository says wins.
const (
	// ReleaseRetries is how often a failed install or upgrade is tried again.
	ReleaseRetries = 3
	// ReleaseActionTimeout bounds one Helm action.
	ReleaseActionTimeout = 5 * time.Minute
	// ImagePullTries is how many pulls may fail, back to back, before a pod is Failed.
	ImagePullTries = 3
	// ImagePullTryTimeout bounds one pull.
	ImagePullTryTimeout = time.Minute
	// RetryBackoffStart is the first wait after a failed reconcile; each further one doubles.
	RetryBackoffStart = time.Second
	// CrashBackoffStart is the wait before the first restart of a crashed container; each further one doubles.
	CrashBackoffStart = 10 * time.Second
	// CrashBackoffCap is the longest wait before a restart.
	CrashBackoffCap = 5 * time.Minute
)

// Unlimited is the number of retries of what never gives up.
const Unlimited = -1

// Retry says how often something is tried again, and how long it waits.
type Retry struct {
	Resource    string `json:"resource"`
	MaxRetries  int    `json:"maxRetries"` // Unlimited where it never gives up
	Exponential bool   `json:"exponential"`
	// BackoffCap is the longest wait; 0 means that the resource's own interval caps it.
	BackoffCap time.Duration `json:"backoffCap"`
	// Timeout bounds one try; 0 is none.
	Timeout time.Duration `json:"timeout"`
	Meaning string        `json:"meaning"`
}

// RetryBehavior returns how each resource is tried again.
func RetryBehavior() []Retry {
	return []Retry{
		{Resource: "HelmRelease", MaxRetries: ReleaseRetries, Exponential: true, Timeout: ReleaseActionTimeout, Meaning: "gives up; needs a fix"},
		{Resource: "ExternalSecret", MaxRetries: Unlimited, Exponential: true, Meaning: "consistent in the end"},
		{Resource: "Pod", MaxRetries: Unlimited, Exponential: true, BackoffCap: CrashBackoffCap, Meaning: "restarts for ever, ever more slowly"},
		{Resource: "Image pull", MaxRetries: ImagePullTries, Timeout: ImagePullTryTimeout, Meaning: "fails the pod"},
	}
}

// CrashBackoff returns how long a container waits before its n-th restart,
// counted from 1: 10s, 20s, 40s, 80s, 160s, and 5m from then on.
func CrashBackoff(n int) time.Duration {
	return Backoff(CrashBackoffStart, CrashBackoffCap, n)
}

// Backoff returns the n-th wait, counted from 1, of a series that starts at
// start, doubles, and never exceeds limit.
func Backoff(start, limit time.Duration, n int) time.Duration {
	d := min(start, limit)
	for i := 1; i < n && d < limit; i++ {
		if d > limit/2 {
			return limit
		}
		d *= 2
	}
	return d
}
