package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// madeByHand returns the smallest volume that no claim has and that suits a
// claim, or nil. One that is kept for the claim comes before all others.
func (p *provisioner) madeByHand(ctx context.Context, claim *corev1.PersistentVolumeClaim) (*corev1.PersistentVolume, error) {
	volumes := &corev1.PersistentVolumeList{}
	if err := p.client.List(ctx, volumes); err != nil {
		return nil, err
	}
	var best *corev1.PersistentVolume
	for i := range volumes.Items {
		v := &volumes.Items[i]
		if keptFor(v, claim) {
			return v, nil
		}
		if v.Spec.ClaimRef == nil && available(v) && suits(v, claim) && (best == nil || better(v, best)) {
			best = v
		}
	}
	return best, nil
}

func available(v *corev1.PersistentVolume) bool {
	return v.DeletionTimestamp == nil && (v.Spec.ClaimRef == nil || v.Spec.ClaimRef.UID == "") &&
		(v.Status.Phase == corev1.VolumeAvailable || v.Status.Phase == corev1.VolumePending || v.Status.Phase == "")
}

// keptFor reports whether a volume's owner, or an earlier look, has set it
// aside for a claim.
func keptFor(v *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) bool {
	ref := v.Spec.ClaimRef
	return ref != nil && ref.Namespace == claim.Namespace && ref.Name == claim.Name && (ref.UID == "" || ref.UID == claim.UID) && v.DeletionTimestamp == nil
}

// suits reports whether a volume is what a claim asks for, by the binder's rules.
func suits(v *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) bool {
	class := ""
	if claim.Spec.StorageClassName != nil {
		class = *claim.Spec.StorageClassName
	}
	size := v.Spec.Capacity[corev1.ResourceStorage]
	if v.Spec.StorageClassName != class || size.Cmp(claim.Spec.Resources.Requests[corev1.ResourceStorage]) < 0 || mode(v.Spec.VolumeMode) != mode(claim.Spec.VolumeMode) {
		return false
	}
	for _, m := range claim.Spec.AccessModes {
		if !slices.Contains(v.Spec.AccessModes, m) {
			return false
		}
	}
	if claim.Spec.Selector == nil {
		return true
	}
	selector, err := metav1.LabelSelectorAsSelector(claim.Spec.Selector)
	return err == nil && selector.Matches(labels.Set(v.Labels))
}

func mode(m *corev1.PersistentVolumeMode) corev1.PersistentVolumeMode {
	if m == nil {
		return corev1.PersistentVolumeFilesystem
	}
	return *m
}

// better reports whether a volume wastes less than another.
func better(a, b *corev1.PersistentVolume) bool {
	left, right := a.Spec.Capacity[corev1.ResourceStorage], b.Spec.Capacity[corev1.ResourceStorage]
	if c := left.Cmp(right); c != 0 {
		return c < 0
	}
	return strings.Compare(a.Name, b.Name) < 0
}

// offer sets a volume aside for a claim, so that the binder binds the two at
// once. A volume that only some nodes can reach is left to the scheduler.
func (p *provisioner) offer(ctx context.Context, v *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) error {
	p.last.Remove(stuckKey(client.ObjectKeyFromObject(claim)))
	if v == nil || v.Spec.NodeAffinity != nil || v.Spec.ClaimRef != nil && v.Spec.ClaimRef.UID == claim.UID {
		return nil
	}
	patch := client.MergeFromWithOptions(v.DeepCopy(), client.MergeFromWithOptimisticLock{})
	v.Spec.ClaimRef = &corev1.ObjectReference{
		APIVersion: "v1", Kind: "PersistentVolumeClaim",
		Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
	}
	if err := p.client.Patch(ctx, v, patch); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("set the volume %s aside for the claim %s/%s: %w", v.Name, claim.Namespace, claim.Name, err)
	}
	return nil
}
