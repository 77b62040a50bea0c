package attach

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// annotationProvisioned names who made a volume: the driver that a stand-in's
// volume would have in life.
const annotationProvisioned = "pv.kubernetes.io/provisioned-by"

// known are drivers that attach volumes by their documentation, for where no
// CSIDriver says so: many operators make that object themselves. The name of
// an instance may stand before.
var known = []string{
	"rbd.csi.ceph.com", "driver.longhorn.io", "linstor.csi.linbit.com", "io.openebs.csi-mayastor", "csi.proxmox.sinextra.dev",
	"csi.san.synology.com", "csi.vsphere.vmware.com", "cinder.csi.openstack.org", "csi.hetzner.cloud", "dobs.csi.digitalocean.com",
	"ebs.csi.aws.com", "disk.csi.azure.com", "pd.csi.storage.gke.io", "csi.trident.netapp.io", "pxd.portworx.com",
}

// Driver returns the driver that a volume has in life; "" is none, for volumes
// that are a folder or a share.
func Driver(volume *corev1.PersistentVolume) string {
	if volume.Spec.CSI == nil {
		return ""
	}
	if by := volume.Annotations[annotationProvisioned]; by != "" {
		return by
	}
	return volume.Spec.CSI.Driver
}

// Needed reports whether a volume has to be attached to a node before a pod
// there can use it.
func Needed(ctx context.Context, c client.Reader, volume *corev1.PersistentVolume) (bool, error) {
	name := Driver(volume)
	if name == "" {
		return false, nil
	}
	driver := &storagev1.CSIDriver{}
	err := c.Get(ctx, client.ObjectKey{Name: name}, driver)
	if err == nil {
		return driver.Spec.AttachRequired == nil || *driver.Spec.AttachRequired, nil
	}
	if !apierrors.IsNotFound(err) {
		return false, fmt.Errorf("look for the driver of the volume %s: %w", volume.Name, err)
	}
	return slices.ContainsFunc(known, func(k string) bool { return name == k || strings.HasSuffix(name, "."+k) }), nil
}

// Name is that of the VolumeAttachment of a volume at a node.
func Name(volume *corev1.PersistentVolume, node string) string {
	handle := ""
	if volume.Spec.CSI != nil {
		handle = volume.Spec.CSI.VolumeHandle
	}
	return fmt.Sprintf("csi-%x", sha256.Sum256([]byte(handle+Driver(volume)+node)))
}

// unique is how a node's status calls a volume.
func unique(volume *corev1.PersistentVolume) corev1.UniqueVolumeName {
	return corev1.UniqueVolumeName("kubernetes.io/csi/" + Driver(volume) + "^" + volume.Spec.CSI.VolumeHandle)
}

// shared reports whether several nodes may have a volume at once.
func shared(volume *corev1.PersistentVolume) bool {
	modes := volume.Spec.AccessModes
	return len(modes) == 0 || slices.Contains(modes, corev1.ReadWriteMany) || slices.Contains(modes, corev1.ReadOnlyMany)
}
