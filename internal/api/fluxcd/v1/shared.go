package v1

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CommonMetadata is added to every object that is applied, and wins over what
// the object itself says.
type CommonMetadata struct {
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
}

// ResourceInventory lists the objects that were applied.
type ResourceInventory struct {
	Entries []ResourceRef `json:"entries"`
}

// ResourceRef names one object: NAMESPACE_NAME_GROUP_KIND and the version.
type ResourceRef struct {
	ID      string `json:"id"`
	Version string `json:"v"`
}

// maxHistory is how many entries a history keeps.
const maxHistory = 5

// History tells what became of reconciling each of the last few sets of
// objects, the latest first.
type History []Snapshot

// Snapshot is what became of reconciling one set of objects, as often as it
// ended in the same way.
type Snapshot struct {
	// Digest of the objects, sha256:HEX.
	Digest          string      `json:"digest"`
	FirstReconciled metav1.Time `json:"firstReconciled"`
	LastReconciled  metav1.Time `json:"lastReconciled"`
	// +kubebuilder:validation:Type=string
	LastReconciledDuration metav1.Duration `json:"lastReconciledDuration"`
	LastReconciledStatus   string          `json:"lastReconciledStatus"`
	TotalReconciliations   int64           `json:"totalReconciliations"`
	// +optional
	Metadata map[string]string `json:"metadata,omitempty"`
}

// Record notes the end of a reconcile: the reason of its Ready condition.
func (h *History) Record(digest, status string, took time.Duration, metadata map[string]string) {
	now := metav1.Now()
	entry := Snapshot{Digest: digest, LastReconciledStatus: status, FirstReconciled: now}
	same := func(s Snapshot) bool { return s.Digest == digest && s.LastReconciledStatus == status }
	if i := slices.IndexFunc(*h, same); i >= 0 {
		entry = (*h)[i]
		*h = slices.Delete(slices.Clone(*h), i, i+1)
	}
	entry.LastReconciled = now
	entry.LastReconciledDuration = metav1.Duration{Duration: took}
	entry.TotalReconciliations++
	entry.Metadata = metadata
	all := append(History{entry}, *h...)
	*h = all[:min(len(all), maxHistory)]
}
