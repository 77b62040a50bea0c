package kustomization

import (
	"context"
	"fmt"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/ssa"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/objects"
	"hearth/internal/render"
)

// delete removes what a deleted Kustomization applied, as its deletion policy
// says, and then lets it go.
func (w *walk) delete(ctx context.Context) (reconcile.Result, error) {
	if !controllerutil.ContainsFinalizer(w.obj, kustomizev1.KustomizationFinalizer) {
		w.forget(w.key)
		return reconcile.Result{}, nil
	}
	w.revision = w.obj.Status.LastAppliedRevision
	if w.removesObjects() {
		left, err := w.removeObjects(ctx)
		if err != nil {
			w.event(corev1.EventTypeWarning, "pruning for deleted resource failed")
			return reconcile.Result{RequeueAfter: w.memory.backoff.Next(w.key, w.obj.GetRetryInterval())}, nil
		}
		if left > 0 {
			return reconcile.Result{RequeueAfter: left}, nil
		}
	}
	patch := client.MergeFromWithOptions(w.obj.DeepCopy(), client.MergeFromWithOptimisticLock{})
	controllerutil.RemoveFinalizer(w.obj, kustomizev1.KustomizationFinalizer)
	err := w.client.Patch(ctx, w.obj, patch, client.FieldOwner(statusManager))
	if client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("let Kustomization %s go: %w", w.key, err)
	}
	w.forget(w.key)
	return reconcile.Result{}, nil
}

func (w *walk) removesObjects() bool {
	if w.obj.Spec.Suspend || w.obj.Status.Inventory == nil || len(w.obj.Status.Inventory.Entries) == 0 {
		return false
	}
	switch w.obj.GetDeletionPolicy() {
	case kustomizev1.DeletionPolicyMirrorPrune:
		return w.obj.Spec.Prune
	case kustomizev1.DeletionPolicyDelete, kustomizev1.DeletionPolicyWaitForTermination:
		return true
	}
	return false
}

// removeObjects deletes what the inventory lists. It returns how long what is
// left may still take, its going or its takeover by others wakes us.
func (w *walk) removeObjects(ctx context.Context) (left time.Duration, err error) {
	list, err := inventoryObjects(w.obj.Status.Inventory, nil)
	if err != nil {
		return 0, err
	}
	if gone, err := w.accountGone(ctx); gone || err != nil {
		return 0, err
	}
	kube, err := w.applyClient(ctx)
	if err != nil {
		return 0, err
	}
	deadline := w.obj.DeletionTimestamp.Add(w.obj.GetTimeout())
	plan, err := w.planRemoval(ctx, kube, list, deadline)
	if err != nil {
		return 0, err
	}
	if err := w.followTakeover(ctx, plan); err != nil {
		return 0, err
	}
	removed, err := w.deleteObjects(ctx, kube, plan.now)
	if err != nil {
		return 0, err
	}
	for _, obj := range plan.now {
		w.o.Index.Remove(render.KeyOf(obj))
	}
	if (w.memory.firstDeletion(w.key) || len(plan.doomed) > 0) && len(removed.Entries) > 0 {
		w.event(corev1.EventTypeNormal, removed.String())
	}
	if len(plan.waiting) > 0 {
		return w.nextLook(max(time.Until(deadline), time.Millisecond)), nil
	}
	if w.obj.GetDeletionPolicy() != kustomizev1.DeletionPolicyWaitForTermination {
		return 0, nil
	}
	return w.awaitTermination(ctx, kube, list, removed)
}

// followTakeover lets a deletion go on when what it waits for changes: who is
// to take objects over, and the objects, whose new labels say that it is done.
func (w *walk) followTakeover(ctx context.Context, plan removal) error {
	w.wake.dependOn(w.key, plan.heirs)
	if w.remote() {
		return nil // its objects are looked at again and again
	}
	var keys []objects.Key
	for _, obj := range plan.waiting {
		key := objects.KeyOf(obj)
		if err := w.o.Objects.Follow(ctx, key.GroupVersionKind); err != nil && !apimeta.IsNoMatchError(err) {
			return err
		}
		keys = append(keys, key)
	}
	w.wake.watch(w.key, keys)
	return nil
}

func (w *walk) awaitTermination(ctx context.Context, kube client.Client, list []*unstructured.Unstructured, removed *ssa.ChangeSet) (time.Duration, error) {
	var keys []objects.Key
	for _, obj := range list {
		key := objects.KeyOf(obj)
		if isSkipped(obj, removed) {
			continue
		}
		// Followed before it is looked at, so that its going is not missed.
		var err error
		if !w.remote() {
			err = w.o.Objects.Follow(ctx, key.GroupVersionKind)
		}
		if apimeta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			return 0, err
		}
		keys = append(keys, key)
	}
	w.wake.watch(w.key, keys)
	left := time.Until(w.obj.DeletionTimestamp.Add(w.obj.GetTimeout()))
	for _, key := range keys {
		obj := &unstructured.Unstructured{}
		obj.SetGroupVersionKind(key.GroupVersionKind)
		err := kube.Get(ctx, key.NamespacedName, obj)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("look whether %s is gone: %w", key, err)
		}
		if left <= 0 {
			w.event(corev1.EventTypeWarning, "failed to wait for resources termination")
			return 0, nil
		}
		return w.nextLook(left), nil
	}
	return 0, nil
}

func isSkipped(obj *unstructured.Unstructured, changes *ssa.ChangeSet) bool {
	for _, change := range changes.Entries {
		if change.Action == ssa.SkippedAction && change.ObjMetadata.Name == obj.GetName() &&
			change.ObjMetadata.Namespace == obj.GetNamespace() && change.ObjMetadata.GroupKind == obj.GroupVersionKind().GroupKind() {
			return true
		}
	}
	return false
}
