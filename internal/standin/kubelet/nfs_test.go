package kubelet

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"hearth/internal/domain"
	"hearth/internal/kube/scheme"
	"hearth/internal/standin/attach"
)

// looker is a kubelet that only looks things up.
func looker(faults *domain.Faults, objects ...client.Object) *kubelet {
	c := fake.NewClientBuilder().WithScheme(scheme.New()).WithObjects(objects...).WithStatusSubresource(&storagev1.VolumeAttachment{}).Build()
	return &kubelet{Options: Options{Faults: faults}, client: c, reader: c, wakes: newWakes()}
}

// mounting is a pod with one volume, and the claim and volume behind it.
func mounting(source corev1.VolumeSource, behind corev1.PersistentVolumeSource) (*corev1.Pod, []client.Object) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "app"},
		Spec:       corev1.PodSpec{NodeName: "node-1", Volumes: []corev1.Volume{{Name: "data", VolumeSource: source}}},
	}
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "data"},
		Spec:       corev1.PersistentVolumeClaimSpec{VolumeName: "pv"}, Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound},
	}
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pv", Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": "rook-ceph.rbd.csi.ceph.com"}},
		Spec:       corev1.PersistentVolumeSpec{PersistentVolumeSource: behind},
	}
	if behind.CSI != nil && behind.CSI.VolumeAttributes != nil {
		volume.Annotations["pv.kubernetes.io/provisioned-by"] = "nfs.csi.k8s.io"
	}
	return pod, []client.Object{claim, volume}
}

func claimed() corev1.VolumeSource {
	return corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}
}

// https://kubernetes.io/docs/concepts/storage/volumes/#nfs: while the server
// does not answer, no pod with a volume of it gets further than its mounts.
func TestUnreachableServerKeepsPodsFromStarting(t *testing.T) {
	share := &corev1.NFSVolumeSource{Server: "nas.example.org", Path: "/media"}
	attributes := map[string]string{"server": share.Server, "share": share.Path}
	for name, c := range map[string]struct {
		source corev1.VolumeSource
		behind corev1.PersistentVolumeSource
	}{
		"of the pod":     {corev1.VolumeSource{NFS: share}, corev1.PersistentVolumeSource{}},
		"of a volume":    {claimed(), corev1.PersistentVolumeSource{NFS: share}},
		"of the csi one": {claimed(), corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{VolumeAttributes: attributes}}},
	} {
		t.Run(name, func(t *testing.T) {
			pod, objects := mounting(c.source, c.behind)
			faults := &domain.Faults{}
			l := lookup{looker(faults, objects...), pod}
			look := func() string {
				problem, err := l.volumes(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return problem
			}
			if got := look(); got != "" {
				t.Errorf("before: %s", got)
			}
			other, down := domain.Fault{Kind: domain.FaultNFSDown, Which: "other.example.org"}, domain.Fault{Kind: domain.FaultNFSDown, Which: share.Server}
			faults.Inject(other)
			if got := look(); got != "" {
				t.Errorf("while another server is down: %s", got)
			}
			faults.Inject(down)
			if got := look(); !strings.HasPrefix(got, `MountVolume.SetUp failed for volume "`) || !strings.Contains(got, "mount.nfs: Connection timed out") ||
				!strings.Contains(got, "nas.example.org:/media") {
				t.Errorf("while it is down: %s", got)
			}
			faults.Lift(down)
			if got := look(); got != "" {
				t.Errorf("once it is back: %s", got)
			}
		})
	}
}

// A volume that has to be attached is waited for without a word; what the
// kubelet itself misses is told first.
func TestVolumeIsMountedOnceItIsAttached(t *testing.T) {
	pod, objects := mounting(claimed(), corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{VolumeHandle: "pv"}})
	k := looker(&domain.Faults{}, objects...)
	look := func(want string) {
		t.Helper()
		problem, err := lookup{k, pod}.volumes(t.Context())
		if err != nil || !strings.Contains(problem, want) || want == "" && problem != "" {
			t.Errorf("the pod waits for %q (%v), not %q", problem, err, want)
		}
	}
	look(unattached)
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "secret", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "none"}}})
	look(`secret "none" not found`)
	pod.Spec.Volumes = pod.Spec.Volumes[:1]
	volume, _ := objects[1].(*corev1.PersistentVolume)
	attachment := &storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: attach.Name(volume, "node-1")}}
	if err := k.client.Create(t.Context(), attachment); err != nil {
		t.Fatal(err)
	}
	look(unattached)
	attachment.Status.Attached = true
	if err := k.client.Status().Update(t.Context(), attachment); err != nil {
		t.Fatal(err)
	}
	look("")
	elsewhere := pod.DeepCopy()
	elsewhere.Spec.NodeName = "node-2"
	if problem, err := (lookup{k, elsewhere}).volumes(t.Context()); err != nil || problem != unattached {
		t.Errorf("a pod of another node waits for %q (%v)", problem, err)
	}
	if got := k.wakes.of("VolumeAttachment")(t.Context(), attachment); len(got) != 1 {
		t.Errorf("%d pods wait for the attachment", len(got))
	}
}
