package kustomization

import (
	"context"
	"fmt"
	"slices"
	"strings"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"hearth/internal/kube/objects"
)

// rivalReason is the reason of events that tell of objects with two owners.
const rivalReason = "SharedOwnership"

// tellRivals tells which objects an apply took from a Kustomization that goes
// on applying them. As with Flux, whoever applies last has them, until the
// other looks again; neither wakes the other.
func (a *applier) tellRivals(ctx context.Context, saw *witness) {
	taken := map[types.NamespacedName][]string{}
	for _, obj := range a.objects {
		key := objects.KeyOf(obj)
		written, live := saw.written[key], saw.before[key]
		if written == nil || live == nil {
			continue
		}
		labels := live.GetLabels()
		owner := types.NamespacedName{Namespace: labels[ownerGroup+"/namespace"], Name: labels[ownerGroup+"/name"]}
		if owner != a.key && owner.Name != "" && a.applies(ctx, owner, idOf(written)) {
			taken[owner] = append(taken[owner], subject(written))
		}
	}
	for owner, names := range taken {
		message := fmt.Sprintf("Kustomizations %s and %s both apply %s: each takes over what the other applied, whenever it looks; keep it in one of them",
			a.key, owner, strings.Join(names, ", "))
		if a.memory.firstTold(a.key, message) {
			a.eventFor(corev1.EventTypeWarning, rivalReason, message)
		}
	}
}

// applies reports whether a Kustomization has an object and is not about to
// drop it for a revision that it has yet to see.
func (a *applier) applies(ctx context.Context, name types.NamespacedName, id string) bool {
	other := &kustomizev1.Kustomization{}
	if err := a.client.Get(ctx, name, other); err != nil || !other.DeletionTimestamp.IsZero() || other.Status.Inventory == nil {
		return false
	}
	if sourceName(other) == sourceName(a.obj) && other.Status.LastAppliedRevision != a.revision {
		return false
	}
	return slices.ContainsFunc(other.Status.Inventory.Entries, func(entry kustomizev1.ResourceRef) bool { return entry.ID == id })
}
