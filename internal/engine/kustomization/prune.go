package kustomization

import (
	"context"

	"github.com/fluxcd/cli-utils/pkg/object"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/ssa"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/render"
)

// prune removes what the inventory listed before and does not any more. What
// could not be removed stays listed, to be tried again.
func (w *walk) prune(ctx context.Context, before *kustomizev1.ResourceInventory, changes *ssa.ChangeSet) *failure {
	failed := func(err error) *failure { return &failure{reason: meta.PruneFailedReason, err: err} }
	stale, err := inventoryObjects(before, w.obj.Status.Inventory)
	if err != nil {
		return failed(err)
	}
	if len(stale) == 0 || !w.obj.Spec.Prune {
		w.memory.endWait(w.key)
		return nil
	}
	kube, err := w.applyClient(ctx)
	if err != nil {
		return failed(err)
	}
	plan, err := w.planRemoval(ctx, kube, stale, w.memory.waitUntil(w.key, w.obj.GetTimeout()))
	if err != nil {
		addEntries(w.obj.Status.Inventory, stale)
		return failed(err)
	}
	// Listed while they go, should the status be written or the process end.
	kept := w.obj.Status.Inventory
	w.obj.Status.Inventory = withObjects(kept, stale)
	removed, err := w.deleteObjects(ctx, kube, plan.now)
	w.obj.Status.Inventory = kept
	if err != nil {
		addEntries(w.obj.Status.Inventory, survivors(stale, removed))
		return failed(err)
	}
	addEntries(w.obj.Status.Inventory, plan.waiting)
	if w.wake.dependOn(w.key, plan.heirs); len(plan.waiting) == 0 {
		w.memory.endWait(w.key)
	}
	if removed != nil && len(removed.Entries) > 0 {
		w.drifted = true
		w.event(corev1.EventTypeNormal, removed.String())
	}
	for _, obj := range plan.now {
		w.o.Index.Remove(render.KeyOf(obj))
	}
	return nil
}

// deleteObjects deletes those objects that are still ours, and that nothing
// protects. A kind that the server no longer knows has no objects.
func (w *walk) deleteObjects(ctx context.Context, kube client.Client, list []*unstructured.Unstructured) (*ssa.ChangeSet, error) {
	var known []*unstructured.Unstructured
	for _, obj := range list {
		gvk := obj.GroupVersionKind()
		if _, err := kube.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version); apimeta.IsNoMatchError(err) {
			continue
		}
		known = append(known, obj)
	}
	manager := newManager(&recordingClient{Client: kube, beforeWrite: w.progress.flush, applied: func(*unstructured.Unstructured) {}})
	return manager.DeleteAll(ctx, known, ssa.DeleteOptions{
		PropagationPolicy: metav1.DeletePropagationBackground,
		Inclusions:        manager.GetOwnerLabels(w.key.Name, w.key.Namespace),
		Exclusions:        leftAlone,
	})
}

// survivors returns the objects that are neither deleted nor left on purpose.
func survivors(list []*unstructured.Unstructured, changes *ssa.ChangeSet) []*unstructured.Unstructured {
	settled := map[object.ObjMetadata]bool{}
	if changes != nil {
		for _, change := range changes.Entries {
			settled[change.ObjMetadata] = change.Action == ssa.DeletedAction || change.Action == ssa.SkippedAction
		}
	}
	var left []*unstructured.Unstructured
	for _, obj := range list {
		if !settled[object.UnstructuredToObjMetadata(obj)] {
			left = append(left, obj)
		}
	}
	return left
}
