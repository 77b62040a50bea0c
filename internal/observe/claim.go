package observe

import (
	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
)

// annotationProvisioner is where Kubernetes notes whom it asked for a volume:
// it does so once the volume may be made, which with a class that waits for
// the first consumer is when a pod has been given its node.
const (
	annotationProvisioner     = "volume.kubernetes.io/storage-provisioner"
	annotationProvisionerBeta = "volume.beta.kubernetes.io/storage-provisioner"
)

// ClaimState derives the state of a PersistentVolumeClaim from its phase, its
// conditions, and whether a provisioner has been asked.
func ClaimState(c *corev1.PersistentVolumeClaim) Standing {
	created := since(c.CreationTimestamp)
	switch {
	case c.DeletionTimestamp != nil:
		message := ""
		if len(c.Finalizers) > 0 {
			message = "stays while a pod uses it"
		}
		return deleting(domain.ClaimDeleting, c.DeletionTimestamp, message)
	case c.Status.Phase == corev1.ClaimLost:
		return Standing{State: domain.ClaimLost, Message: "its volume " + c.Spec.VolumeName + " is gone", Since: created}
	case c.Status.Phase == corev1.ClaimBound:
		return boundClaim(c)
	case c.Annotations[annotationProvisioner] != "":
		return Standing{State: domain.ClaimProvisioning, Message: "asked " + oneLine(c.Annotations[annotationProvisioner]), Since: created}
	case c.Annotations[annotationProvisionerBeta] != "":
		return Standing{State: domain.ClaimProvisioning, Message: "asked " + oneLine(c.Annotations[annotationProvisionerBeta]), Since: created}
	}
	s := Standing{State: domain.ClaimPending, Message: "waits for a pod that uses it, or for a volume", Since: created}
	if class := c.Spec.StorageClassName; class != nil && *class == "" {
		s.Message = "waits for a volume that fits: it asks for none to be made"
	}
	return s
}

func boundClaim(c *corev1.PersistentVolumeClaim) Standing {
	s := Standing{State: domain.ClaimBound, Ready: true, Since: since(c.CreationTimestamp)}
	for _, condition := range c.Status.Conditions {
		growing := condition.Type == corev1.PersistentVolumeClaimResizing || condition.Type == corev1.PersistentVolumeClaimFileSystemResizePending
		if growing && condition.Status == corev1.ConditionTrue {
			s.State, s.Message, s.Since = domain.ClaimResizing, oneLine(condition.Message), since(condition.LastTransitionTime)
		}
	}
	return s
}
