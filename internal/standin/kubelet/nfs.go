package kubelet

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/standin/attach"
)

// unattached says that a volume is not attached yet, of which a kubelet says
// nothing for its first two minutes: others do.
const unattached = "the volume is not attached"

// bound returns why a claim's volume cannot be mounted although the claim has
// it; "" is nothing.
func (l lookup) bound(ctx context.Context, claim *corev1.PersistentVolumeClaim) (string, error) {
	pv := &corev1.PersistentVolume{}
	err := l.k.client.Get(ctx, client.ObjectKey{Name: claim.Spec.VolumeName}, pv)
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look for the volume %s: %w", claim.Spec.VolumeName, err)
	}
	if needed, err := attach.Needed(ctx, l.k.client, pv); !needed || err != nil {
		return l.nfs(pv.Name, shareOf(pv)), err
	}
	attachment := &storagev1.VolumeAttachment{}
	found, err := l.getAt(ctx, "VolumeAttachment", types.NamespacedName{Name: attach.Name(pv, l.pod.Spec.NodeName)}, attachment)
	if err != nil || found && attachment.Status.Attached {
		return "", err
	}
	return unattached, nil
}

// shareOf returns the NFS share behind a volume, by Kubernetes' own means or by
// csi-driver-nfs, or nil.
func shareOf(pv *corev1.PersistentVolume) *corev1.NFSVolumeSource {
	if csi := pv.Spec.CSI; csi != nil && csi.VolumeAttributes["server"] != "" {
		return &corev1.NFSVolumeSource{Server: csi.VolumeAttributes["server"], Path: csi.VolumeAttributes["share"]}
	}
	return pv.Spec.NFS
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
