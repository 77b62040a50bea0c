package observe

import (
	"context"
	"slices"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/domain"
	"hearth/internal/kube/gitops"
)

// KindStats sums up the objects of a kind by which a cluster follows Git.
type KindStats struct {
	Kind      string `json:"kind"`
	Total     int    `json:"total"`
	Ready     int    `json:"ready"`
	Failing   int    `json:"failing"`
	Suspended int    `json:"suspended"`
	// Stored are the bytes of the artifacts that they hold.
	Stored int64 `json:"storedBytes"`
	// Typical and Longest are how long the last reconcile, or Helm action, took:
	// the median of all, and the longest with whose it was. Zero where no object
	// says.
	Typical time.Duration `json:"typicalNanoseconds,omitzero"`
	Longest time.Duration `json:"longestNanoseconds,omitzero"`
	Slowest domain.Ref    `json:"slowest,omitzero"`
}

// Stats sums up the kinds by which a cluster follows Git: those that it
// serves, in the order of gitops.Kinds. The empty namespace means all.
func Stats(ctx context.Context, c *gitops.Cluster, namespace string) ([]KindStats, error) {
	kinds, err := c.Served()
	if err != nil {
		return nil, err
	}
	stats := []KindStats{}
	for _, kind := range kinds {
		objects, err := c.All(ctx, kind, namespace)
		if err != nil {
			return nil, err
		}
		stats = append(stats, sumUp(kind.Kind, objects))
	}
	return stats, nil
}

func sumUp(kind string, list []gitops.Object) KindStats {
	s := KindStats{Kind: kind}
	var took []time.Duration
	for _, o := range list {
		standing := Tell(o.Unstructured)
		s.Total++
		switch {
		case o.Suspended():
			s.Suspended++
		case standing.Ready:
			s.Ready++
		case Failed(kind, standing.State):
			s.Failing++
		}
		size, _, _ := unstructured.NestedInt64(o.Object, "status", "artifact", "size")
		s.Stored += size
		d, ok := lastDuration(o.Unstructured)
		if !ok {
			continue
		}
		took = append(took, d)
		if d > s.Longest {
			s.Longest, s.Slowest = d, domain.Ref{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		s.Typical = took[len(took)/2]
	}
	return s
}

// lastDuration says how long an object's last reconcile or Helm action took,
// by its own account.
func lastDuration(obj *unstructured.Unstructured) (time.Duration, bool) {
	switch obj.GroupVersionKind().GroupKind() {
	case kustomizationKind.GroupKind():
		if k, ok := typed[kustomizev1.Kustomization](obj); ok && len(k.Status.History) > 0 {
			return k.Status.History[0].LastReconciledDuration.Duration, true
		}
	case helmReleaseKind.GroupKind():
		if h, ok := typed[helmv2.HelmRelease](obj); ok && h.Status.LastAttemptedReleaseActionDuration != nil {
			return h.Status.LastAttemptedReleaseActionDuration.Duration, true
		}
	}
	return 0, false
}
