package storage

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func claimFor(class, size string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "c", UID: "u"},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &class,
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
			Resources:        corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}},
		},
	}
}

func volumeOf(class, size string, change func(*corev1.PersistentVolume)) *corev1.PersistentVolume {
	v := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "v", Labels: map[string]string{"tier": "slow"}},
		Spec: corev1.PersistentVolumeSpec{
			StorageClassName: class,
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce, corev1.ReadWriteMany},
			Capacity:         corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)},
		},
	}
	if change != nil {
		change(v)
	}
	return v
}

// https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding.
func TestVolumesMadeByHandSuitByTheBindersRules(t *testing.T) {
	block := corev1.PersistentVolumeBlock
	selecting := claimFor("nas", "1Gi")
	selecting.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "fast"}}
	for name, c := range map[string]struct {
		volume *corev1.PersistentVolume
		claim  *corev1.PersistentVolumeClaim
		want   bool
	}{
		"same":           {volumeOf("nas", "1Gi", nil), claimFor("nas", "1Gi"), true},
		"larger":         {volumeOf("nas", "2Gi", nil), claimFor("nas", "1Gi"), true},
		"no class":       {volumeOf("", "1Gi", nil), claimFor("", "1Gi"), true},
		"smaller":        {volumeOf("nas", "1Mi", nil), claimFor("nas", "1Gi"), false},
		"other class":    {volumeOf("ssd", "1Gi", nil), claimFor("nas", "1Gi"), false},
		"other mode":     {volumeOf("nas", "1Gi", func(v *corev1.PersistentVolume) { v.Spec.VolumeMode = &block }), claimFor("nas", "1Gi"), false},
		"other access":   {volumeOf("nas", "1Gi", func(v *corev1.PersistentVolume) { v.Spec.AccessModes = v.Spec.AccessModes[:1] }), claimFor("nas", "1Gi"), false},
		"other labels":   {volumeOf("nas", "1Gi", nil), selecting, false},
		"labels it asks": {volumeOf("nas", "1Gi", func(v *corev1.PersistentVolume) { v.Labels["tier"] = "fast" }), selecting, true},
	} {
		if got := suits(c.volume, c.claim); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestVolumeFollowsItsClass(t *testing.T) {
	retain := corev1.PersistentVolumeReclaimRetain
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "ssd"}, Provisioner: "disk.example.org", ReclaimPolicy: &retain, MountOptions: []string{"discard"}}
	v := volumeFor(claimFor("ssd", "3Gi"), class)
	if v.Name != "pvc-u" || v.Spec.ClaimRef.UID != "u" || v.Spec.PersistentVolumeReclaimPolicy != retain || v.Spec.CSI.Driver != Provisioner ||
		v.Spec.MountOptions[0] != "discard" || v.Annotations[annotationProvisioned] != "disk.example.org" || v.Spec.Capacity.Storage().String() != "3Gi" {
		t.Errorf("the volume is %+v", v)
	}
	class.ReclaimPolicy = nil
	if v := volumeFor(claimFor("ssd", "3Gi"), class); v.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
		t.Errorf("without a policy it is %s", v.Spec.PersistentVolumeReclaimPolicy)
	}
}
