package storage

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
)

// What the scheduler writes on a claim that waits for its consumer, what a
// provisioner writes on its volumes, and what marks the default class.
const (
	annotationSelectedNode = "volume.kubernetes.io/selected-node"
	annotationProvisioned  = "pv.kubernetes.io/provisioned-by"
	annotationDefaultClass = "storageclass.kubernetes.io/is-default-class"
)

// noProvisioner is how a class says that its volumes are made by hand.
const noProvisioner = "kubernetes.io/no-provisioner"

func (p *provisioner) reconcileClaim(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	claim := &corev1.PersistentVolumeClaim{}
	err := p.client.Get(ctx, req.NamespacedName, claim)
	if apierrors.IsNotFound(err) {
		p.fills.forget(req.NamespacedName)
		p.last.Remove(stuckKey(req.NamespacedName))
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	switch {
	case claim.DeletionTimestamp != nil:
		p.last.Remove(stuckKey(req.NamespacedName))
		p.forget(claim.UID)
		return reconcile.Result{}, nil
	case claim.Spec.VolumeName != "":
		p.fills.forget(req.NamespacedName)
		p.forget(claim.UID)
		p.last.Remove(stuckKey(req.NamespacedName))
		return reconcile.Result{}, p.expand(ctx, claim)
	}
	return p.provision(ctx, claim)
}

// provision makes a volume for a claim, unless there is one made by hand that
// suits it.
func (p *provisioner) provision(ctx context.Context, claim *corev1.PersistentVolumeClaim) (reconcile.Result, error) {
	none := reconcile.Result{}
	name := claim.Spec.StorageClassName
	if name == nil {
		return none, p.giveDefault(ctx, claim)
	}
	volume, err := p.madeByHand(ctx, claim)
	if volume != nil || err != nil {
		return none, errors.Join(err, p.offer(ctx, volume, claim))
	}
	if *name == "" {
		return none, nil // only a volume made by hand will do
	}
	class := &storagev1.StorageClass{}
	err = p.client.Get(ctx, client.ObjectKey{Name: *name}, class)
	if apierrors.IsNotFound(err) {
		if !p.Faults.On(domain.FaultClassMissing, *name) {
			p.stuck(claim, func(ctx context.Context) error { return p.assumeClass(ctx, claim, *name) })
		}
		return none, nil
	}
	if err != nil {
		return none, err
	}
	p.last.Remove(stuckKey(client.ObjectKeyFromObject(claim)))
	if class.Provisioner == noProvisioner || claim.Spec.Selector != nil {
		return none, nil // a claim that selects among volumes is never provisioned for
	}
	if waitsForConsumer(class) && claim.Annotations[annotationSelectedNode] == "" {
		return none, nil
	}
	return p.makeVolume(ctx, claim, class)
}

func waitsForConsumer(class *storagev1.StorageClass) bool {
	return class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
}

// expand grows a bound claim's volume, and says so on both. Whether the class
// allows it was judged at admission.
func (p *provisioner) expand(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	asked := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	if claim.Status.Phase != corev1.ClaimBound || asked.Cmp(claim.Status.Capacity[corev1.ResourceStorage]) <= 0 {
		return nil
	}
	volume := &corev1.PersistentVolume{}
	if err := p.client.Get(ctx, client.ObjectKey{Name: claim.Spec.VolumeName}, volume); err != nil {
		return client.IgnoreNotFound(err)
	}
	if volume.Annotations[annotationProvisioned] == "" {
		return nil // made by hand: its size is what it is
	}
	if problem, err := p.noRoomToGrow(ctx, claim, volume); problem || err != nil {
		return err
	}
	if asked.Cmp(volume.Spec.Capacity[corev1.ResourceStorage]) > 0 {
		patch := client.MergeFrom(volume.DeepCopy())
		volume.Spec.Capacity[corev1.ResourceStorage] = asked
		if err := p.client.Patch(ctx, volume, patch); err != nil {
			return fmt.Errorf("expand the volume %s: %w", volume.Name, err)
		}
	}
	patch := client.MergeFrom(claim.DeepCopy())
	if claim.Status.Capacity == nil {
		claim.Status.Capacity = corev1.ResourceList{}
	}
	claim.Status.Capacity[corev1.ResourceStorage] = asked
	claim.Status.Conditions = nil
	if err := p.client.Status().Patch(ctx, claim, patch); err != nil {
		return fmt.Errorf("expand the claim %s/%s: %w", claim.Namespace, claim.Name, err)
	}
	return nil
}

func stuckKey(key types.NamespacedName) string { return "PersistentVolumeClaim " + key.String() }

// stuck lets help run once nothing else makes progress, if classes may be
// assumed.
func (p *provisioner) stuck(claim *corev1.PersistentVolumeClaim, help func(context.Context) error) {
	if p.AssumeClasses {
		p.last.Add(stuckKey(client.ObjectKeyFromObject(claim)), help)
	}
}
