package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/standin/operator"
)

// StepProvision is the step under which a slow disk's time is told.
const StepProvision = "provision"

// slowSpan is how long a slow disk takes to make a volume.
var slowSpan = domain.Range{Min: 2 * time.Minute, Max: 5 * time.Minute}

// makeVolume makes a claim's volume, where its class has somebody who does, and
// room for it. What it says is what an external-provisioner says:
// https://github.com/kubernetes-csi/external-provisioner.
func (p *provisioner) makeVolume(ctx context.Context, claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) (reconcile.Result, error) {
	none := reconcile.Result{}
	if p.Faults.On(domain.FaultClassMissing, class.Name) {
		return none, p.tell(ctx, claim, "persistentvolume-controller", corev1.EventTypeNormal, "ExternalProvisioning", fmt.Sprintf(
			"Waiting for a volume to be created either by the external provisioner '%s' or manually by the system administrator. "+
				"If volume creation is delayed, please verify that the provisioner is running and correctly registered.", class.Provisioner))
	}
	wait, err := p.unfilled(ctx, claim, class.Name, class.Provisioner)
	if meta.IsNoMatchError(err) {
		return reconcile.Result{RequeueAfter: time.Second}, nil // the kind will be served any moment
	}
	if err != nil {
		return none, err
	}
	if wait != nil {
		return none, p.tell(ctx, claim, wait.component, wait.kind, wait.reason, wait.message)
	}
	full, err := p.full(ctx, class.Name, claim.Spec.Resources.Requests[corev1.ResourceStorage])
	if err != nil {
		return none, err
	}
	if full {
		return none, p.tell(ctx, claim, class.Provisioner, corev1.EventTypeWarning, "ProvisioningFailed", fmt.Sprintf(
			"failed to provision volume with StorageClass %q: rpc error: code = ResourceExhausted desc = no space left for a volume of %s",
			class.Name, claim.Spec.Resources.Requests.Storage()))
	}
	if left := p.slowed(claim, class.Name); left > 0 {
		return reconcile.Result{RequeueAfter: left}, p.tell(ctx, claim, class.Provisioner, corev1.EventTypeNormal, "Provisioning", fmt.Sprintf(
			"External provisioner is provisioning volume for claim %q", claim.Namespace+"/"+claim.Name))
	}
	volume := volumeFor(claim, class)
	if err := p.client.Create(ctx, volume); err != nil && !apierrors.IsAlreadyExists(err) {
		return none, fmt.Errorf("make a volume for the claim %s/%s: %w", claim.Namespace, claim.Name, err)
	}
	return none, errors.Join(
		p.tell(ctx, claim, class.Provisioner, corev1.EventTypeNormal, "ProvisioningSucceeded", "Successfully provisioned volume "+volume.Name),
		p.tellFilled(ctx, claim))
}

// full reports whether a class has no room for so much more.
func (p *provisioner) full(ctx context.Context, class string, more resource.Quantity) (bool, error) {
	if p.Faults.On(domain.FaultDiskFull, class) {
		return true, nil
	}
	room, limited := p.Capacity[class]
	if !limited {
		return false, nil
	}
	left, err := p.left(ctx, class, room)
	return left.Cmp(more) < 0, err
}

// left returns how much room volumes have left of a class.
func (p *provisioner) left(ctx context.Context, class string, room resource.Quantity) (resource.Quantity, error) {
	volumes := &corev1.PersistentVolumeList{}
	if err := p.client.List(ctx, volumes, client.UnsafeDisableDeepCopy); err != nil {
		return room, err
	}
	left := room.DeepCopy()
	for i := range volumes.Items {
		if v := &volumes.Items[i]; v.Spec.StorageClassName == class && v.Annotations[annotationProvisioned] != "" {
			left.Sub(*v.Spec.Capacity.Storage())
		}
	}
	return left, nil
}

// noRoomToGrow reports whether a volume cannot be expanded, and says so as an
// external-resizer does.
func (p *provisioner) noRoomToGrow(ctx context.Context, claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume) (bool, error) {
	more := claim.Spec.Resources.Requests.Storage().DeepCopy()
	more.Sub(*volume.Spec.Capacity.Storage())
	full, err := p.full(ctx, volume.Spec.StorageClassName, more)
	if !full || err != nil {
		return false, err
	}
	return true, p.tell(ctx, claim, "external-resizer "+Provisioner, corev1.EventTypeWarning, "VolumeResizeFailed", fmt.Sprintf(
		"resize volume %q by resizer %q failed: rpc error: code = ResourceExhausted desc = no space left", volume.Name, Provisioner))
}

// slowed returns how much longer a slow disk takes over a claim.
func (p *provisioner) slowed(claim *corev1.PersistentVolumeClaim, class string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if end := p.timers[claim.UID]; end != nil {
		end()
		delete(p.timers, claim.UID)
	}
	if !p.Faults.On(domain.FaultSlowDisk, class) {
		return 0
	}
	due, known := p.slow[claim.UID]
	if !known {
		ref := domain.Ref{Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name}
		long := slowSpan.Draw(p.Seed, ref.String())
		due = time.Now().Add(p.Pace.Slow(long))
		p.slow[claim.UID] = due
		p.Simulated(ref, StepProvision, long)
	}
	left := time.Until(due)
	if left > 0 {
		p.timers[claim.UID] = p.Gate.Timer()
	}
	return left
}

// forget drops what is known of a claim that has its volume, or is going.
func (p *provisioner) forget(claim types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if end := p.timers[claim]; end != nil {
		end()
	}
	delete(p.timers, claim)
	delete(p.slow, claim)
	delete(p.told, claim)
}

// tell writes an event of a claim, unless it was the last thing that was said.
func (p *provisioner) tell(ctx context.Context, claim *corev1.PersistentVolumeClaim, component, kind, reason, message string) error {
	p.mu.Lock()
	same := p.told[claim.UID] == reason+message
	p.told[claim.UID] = reason + message
	p.mu.Unlock()
	if same {
		return nil
	}
	return operator.Event{
		Object: corev1.ObjectReference{
			APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			ResourceVersion: claim.ResourceVersion,
		},
		Component: component, Type: kind, Reason: reason, Message: message,
	}.Write(ctx, p.client)
}

// followFaults looks at all claims again when a fault begins or is lifted.
func (p *provisioner) followFaults(ctx context.Context) error {
	p.Faults.Follow(ctx, func(ctx context.Context) {
		list := &corev1.PersistentVolumeClaimList{}
		if err := p.client.List(ctx, list); err != nil {
			if ctx.Err() == nil {
				p.log.Error(err, "cannot list claims")
			}
			return
		}
		for i := range list.Items {
			select {
			case p.retry <- event.GenericEvent{Object: &list.Items[i]}:
			case <-ctx.Done():
				return
			}
		}
	})
	return nil
}
