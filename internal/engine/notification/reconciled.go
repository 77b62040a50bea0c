package notification

import (
	"strconv"
	"strings"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"hearth/internal/domain"
)

// appliedKey is the metadata that tells how many objects a Kustomization has
// applied. Flux's own events lack it.
const appliedKey = "applied"

// finished begins the message of a Kustomization's successful reconcile, in
// Flux as in Hearth.
const finished = "Reconciliation finished in "

// reconcileEnd returns what an event says of a Kustomization that has ended a
// reconcile, if it is such an event.
func reconcileEnd(object runtime.Object, metadata map[string]string, eventtype, message string) (domain.FluxReconciled, bool) {
	k, ok := object.(*kustomizev1.Kustomization)
	if !ok {
		return domain.FluxReconciled{}, false
	}
	done := domain.FluxReconciled{
		Kustomization: domain.Ref{Kind: kustomizev1.KustomizationKind, Namespace: k.Namespace, Name: k.Name},
		Revision:      metadata[kustomizev1.GroupVersion.Group+"/"+eventv1.MetaRevisionKey],
		Time:          time.Now(),
	}
	if k.Status.Inventory != nil {
		done.Applied = len(k.Status.Inventory.Entries)
	}
	switch {
	case eventtype == corev1.EventTypeWarning && conditions.IsFalse(k, meta.ReadyCondition):
		done.Status = domain.KustomizationFailed
	case eventtype == corev1.EventTypeNormal && conditions.IsReady(k) && strings.HasPrefix(message, finished):
		done.Status = domain.KustomizationReady
	default:
		return domain.FluxReconciled{}, false
	}
	return done, true
}

// carry puts into an event's metadata what a reconcile's end tells beyond the
// event itself, and marks a success as news of a commit, as Flux does.
func carry(metadata map[string]string, done domain.FluxReconciled, eventtype string) {
	prefix := kustomizev1.GroupVersion.Group + "/"
	metadata[prefix+appliedKey] = strconv.Itoa(done.Applied)
	if eventtype == corev1.EventTypeNormal {
		metadata[prefix+eventv1.MetaCommitStatusKey] = eventv1.MetaCommitStatusUpdateValue
	}
}
