package kubelet

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
)

// bound returns why a claim's volume cannot be mounted although the claim has
// it; "" is nothing.
func (l lookup) bound(ctx context.Context, volume string, claim *corev1.PersistentVolumeClaim) (string, error) {
	if len(l.k.Faults.Of(domain.FaultNFSDown)) == 0 {
		return "", nil
	}
	pv := &corev1.PersistentVolume{}
	err := l.k.client.Get(ctx, client.ObjectKey{Name: claim.Spec.VolumeName}, pv)
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look for the volume %s: %w", claim.Spec.VolumeName, err)
	}
	return l.nfs(pv.Name, pv.Spec.NFS), nil
}

// nfs returns why an NFS volume cannot be mounted, as mount.nfs says it; "" is
// nothing. See https://kubernetes.io/docs/concepts/storage/volumes/#nfs.
func (l lookup) nfs(volume string, nfs *corev1.NFSVolumeSource) string {
	if nfs == nil || !l.k.Faults.On(domain.FaultNFSDown, nfs.Server) {
		return ""
	}
	return fmt.Sprintf("MountVolume.SetUp failed for volume %q : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs %s:%s\n"+
		"Output: mount.nfs: Connection timed out", volume, nfs.Server, nfs.Path)
}
