package integration_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
)

func claimOf(namespace, name string, class *string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: class,
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:        corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	}
}

func classOf(name, provisioner string, mode storagev1.VolumeBindingMode) *storagev1.StorageClass {
	expand := true
	return &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: provisioner,
		VolumeBindingMode: &mode, AllowVolumeExpansion: &expand,
	}
}

// makeClass makes a class that goes with the test.
func (s *stage) makeClass(t *testing.T, class *storagev1.StorageClass) {
	t.Helper()
	s.make(t, class)
	t.Cleanup(func() {
		if err := s.Delete(t.Context(), class); client.IgnoreNotFound(err) != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
}

func awaitBound(t *testing.T, s *stage, claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolumeClaim {
	t.Helper()
	return await(t, s, claim, &corev1.PersistentVolumeClaimList{}, "bound", func(c *corev1.PersistentVolumeClaim) bool {
		return c.Status.Phase == corev1.ClaimBound
	})
}

func checkStatefulSetGetsVolumesOfItsFirstConsumer(t *testing.T, s *stage) {
	ns := s.namespace(t)
	s.makeClass(t, classOf("waits-"+ns, "disk.example.org", storagev1.VolumeBindingWaitForFirstConsumer))
	class := "waits-" + ns
	labels := map[string]string{"app": "db"}
	replicas := int32(2)
	set := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "db"},
		Spec: appsv1.StatefulSetSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template:             corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podOf("", "", nil).Spec},
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{*claimOf("", "data", &class)},
		},
	}
	set.Spec.Template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	unused := claimOf(ns, "unused", &class)
	s.make(t, unused, set)
	await(t, s, set, &appsv1.StatefulSetList{}, "ready", func(set *appsv1.StatefulSet) bool { return set.Status.ReadyReplicas == 2 })
	claim := awaitBound(t, s, claimOf(ns, "data-db-1", nil))
	if claim.Annotations["volume.kubernetes.io/selected-node"] == "" {
		t.Error("the claim was met before the scheduler chose a node")
	}
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(unused), unused); err != nil || unused.Status.Phase != corev1.ClaimPending {
		t.Errorf("a claim without a consumer is %s (%v)", unused.Status.Phase, err)
	}
}

func checkVolumeIsExpandedAndDeleted(t *testing.T, s *stage) {
	ns := s.namespace(t)
	class := "now-" + ns
	s.makeClass(t, classOf(class, "disk.example.org", storagev1.VolumeBindingImmediate))
	claim := claimOf(ns, "data", &class)
	s.make(t, claim)
	claim = awaitBound(t, s, claim)

	grow := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}`))
	if err := s.Patch(t.Context(), claim, grow); err != nil {
		t.Fatal(err)
	}
	await(t, s, claim, &corev1.PersistentVolumeClaimList{}, "expanded", func(c *corev1.PersistentVolumeClaim) bool {
		return c.Status.Capacity.Storage().String() == "2Gi"
	})
	volume := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: claim.Spec.VolumeName}}
	if err := s.Delete(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	s.awaitGone(t, volume)
}

func checkMissingClassIsAssumedUnlessAVolumeHasItsName(t *testing.T, s *stage) {
	ns := s.namespace(t)
	missing, static := "missing-"+ns, "static-"+ns
	labels := claimOf(ns, "labels", &static)
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: static},
		Spec: corev1.PersistentVolumeSpec{
			StorageClassName: static, Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
			AccessModes: labels.Spec.AccessModes, PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource: corev1.PersistentVolumeSource{NFS: &corev1.NFSVolumeSource{Server: "nas.example.org", Path: "/"}},
		},
	}
	none := ""
	never := claimOf(ns, "never", &none)
	s.make(t, labels, claimOf(ns, "data", &missing), never, volume)
	t.Cleanup(func() { _ = s.Delete(t.Context(), volume) })
	awaitBound(t, s, claimOf(ns, "data", nil))
	if got := awaitBound(t, s, labels); got.Spec.VolumeName != static {
		t.Errorf("the claim is bound to %s", got.Spec.VolumeName)
	}
	var assumed []string
	for _, a := range s.assumptions.List() {
		if a.Kind == domain.AssumedStorageClass && (a.Subject == missing || a.Subject == static) {
			assumed = append(assumed, a.Subject)
		}
	}
	if diff := cmp.Diff([]string{missing}, assumed); diff != "" {
		t.Errorf("assumed classes (-want +got):\n%s", diff)
	}
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(never), never); err != nil || never.Spec.VolumeName != "" {
		t.Errorf("a claim that wants no class was met by %q (%v)", never.Spec.VolumeName, err)
	}
}

func checkDefaultClassIsAssumed(t *testing.T, s *stage) {
	ns := s.namespace(t)
	claim := claimOf(ns, "data", nil)
	s.make(t, claim)
	if got := awaitBound(t, s, claim); got.Spec.StorageClassName == nil || *got.Spec.StorageClassName != "default" {
		t.Errorf("the claim's class is %v", got.Spec.StorageClassName)
	}
}
