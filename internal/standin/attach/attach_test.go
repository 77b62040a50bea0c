package attach

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/kube/scheme"
)

const block = "rook-ceph.rbd.csi.ceph.com"

// room is what one attacher works on.
type room struct {
	client.Client
	*attacher
	faults *domain.Faults
}

func newRoom(t *testing.T, pace domain.Pace, objects ...client.Object) room {
	t.Helper()
	c := fake.NewClientBuilder().WithScheme(scheme.New()).WithObjects(objects...).
		WithStatusSubresource(&storagev1.VolumeAttachment{}, &corev1.Node{}).Build()
	faults := &domain.Faults{}
	return room{c, newAttacher(c, Options{Pace: pace, Faults: faults}), faults}
}

func (r room) look(t *testing.T) reconcile.Result {
	t.Helper()
	got, err := r.Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Name: "pvc-1"}})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (r room) make(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, o := range objects {
		if err := r.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
}

func (r room) delete(t *testing.T, o client.Object) {
	t.Helper()
	if err := r.Delete(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

// at returns the nodes that the volume is attached to.
func (r room) at(t *testing.T) []string {
	t.Helper()
	list := &storagev1.VolumeAttachmentList{}
	if err := r.List(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	var nodes []string
	for _, one := range list.Items {
		if one.Status.Attached && one.Spec.Attacher == block {
			nodes = append(nodes, one.Spec.NodeName)
		}
	}
	return nodes
}

// said returns what a pod was told.
func (r room) said(t *testing.T, pod string) []string {
	t.Helper()
	list := &corev1.EventList{}
	if err := r.List(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, e := range list.Items {
		if e.InvolvedObject.Name == pod && e.Source.Component == "attachdetach-controller" {
			said = append(said, e.Reason+": "+e.Message)
		}
	}
	return said
}

func volumeWith(provisioner string, modes ...corev1.PersistentVolumeAccessMode) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pvc-1", Annotations: map[string]string{annotationProvisioned: provisioner}},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes:            modes,
			ClaimRef:               &corev1.ObjectReference{Namespace: "media", Name: "data"},
			PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "storage.hearth.dev", VolumeHandle: "pvc-1"}},
		},
	}
}

func userOf(name, node string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: name},
		Spec: corev1.PodSpec{NodeName: node, Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"},
		}}}},
	}
}

func nodeOf(name string, status corev1.ConditionStatus) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status}}}}
}

func check(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// The words are those of Kubernetes 1.37 (pkg/controller/volume/attachdetach/reconciler).
func TestSecondNodeWaitsForTheFirst(t *testing.T) {
	first, second := userOf("app-a", "node-1"), userOf("app-b", "node-2")
	r := newRoom(t, domain.RealPace, volumeWith(block, corev1.ReadWriteOnce), first)
	r.look(t)
	check(t, "attached", []string{"node-1"}, r.at(t))
	check(t, "the first pod", []string{`SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pvc-1" `}, r.said(t, "app-a"))
	r.make(t, second)
	r.look(t)
	r.look(t)
	check(t, "attached", []string{"node-1"}, r.at(t))
	check(t, "the second pod", []string{`FailedAttachVolume: Waiting for detach for volume "pvc-1" Volume is already used by pod(s) app-a`}, r.said(t, "app-b"))
	r.delete(t, first)
	r.look(t)
	check(t, "attached", []string{"node-2"}, r.at(t))
}

func TestSharedVolumeIsAttachedToAll(t *testing.T) {
	r := newRoom(t, domain.RealPace, volumeWith(block, corev1.ReadWriteMany), userOf("app-a", "node-1"), userOf("app-b", "node-2"))
	r.look(t)
	if got := r.at(t); len(got) != 2 {
		t.Errorf("attached to %v", got)
	}
}

// A pod that has ended, or that goes before anything of it ran, holds nothing.
func TestEndedPodHoldsNothing(t *testing.T) {
	first := userOf("app-a", "node-1")
	r := newRoom(t, domain.RealPace, volumeWith(block, corev1.ReadWriteOnce), first, userOf("app-b", "node-2"))
	r.look(t)
	check(t, "attached", []string{"node-1"}, r.at(t))
	first.Status.Phase = corev1.PodSucceeded
	if err := r.Status().Update(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	r.look(t)
	check(t, "attached", []string{"node-2"}, r.at(t))
}

// https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#storage-force-detach-on-timeout
func TestLostNodeKeepsItsVolumeForSixMinutes(t *testing.T) {
	first := userOf("app-a", "node-1")
	r := newRoom(t, domain.RealPace, volumeWith(block, corev1.ReadWriteOnce), first, nodeOf("node-1", corev1.ConditionUnknown))
	r.look(t)
	r.faults.Inject(domain.Fault{Kind: domain.FaultNodeDown, Which: "node-1"})
	r.delete(t, first)
	r.make(t, userOf("app-b", "node-2"))
	if got := r.look(t); got.RequeueAfter < 5*time.Minute || got.RequeueAfter > unmountWait {
		t.Errorf("looked at again in %s", got.RequeueAfter)
	}
	check(t, "attached", []string{"node-1"}, r.at(t))
	check(t, "the second pod", []string{
		`FailedAttachVolume: Waiting for detach for volume "pvc-1" Volume is already exclusively attached to one node, waiting on detach before it can be attached to another node`,
	}, r.said(t, "app-b"))
	r.volumes["pvc-1"]["node-1"].unused = time.Now().Add(-unmountWait)
	if got := r.look(t); got.RequeueAfter != 0 {
		t.Errorf("looked at again in %s", got.RequeueAfter)
	}
	check(t, "attached", []string{"node-2"}, r.at(t))
}

func TestOutOfServiceAndReturnFreeAVolume(t *testing.T) {
	for name, free := range map[string]func(*testing.T, room){
		"out of service": func(t *testing.T, r room) {
			node := nodeOf("node-1", corev1.ConditionUnknown)
			if err := r.Get(t.Context(), client.ObjectKeyFromObject(node), node); err != nil {
				t.Fatal(err)
			}
			node.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeOutOfService, Value: "nodeshutdown", Effect: corev1.TaintEffectNoExecute}}
			if err := r.Update(t.Context(), node); err != nil {
				t.Fatal(err)
			}
		},
		"back": func(_ *testing.T, r room) { r.faults.Lift(domain.Fault{Kind: domain.FaultNodeDown, Which: "node-1"}) },
	} {
		t.Run(name, func(t *testing.T) {
			first := userOf("app-a", "node-1")
			r := newRoom(t, domain.RealPace, volumeWith(block, corev1.ReadWriteOnce), first, nodeOf("node-1", corev1.ConditionUnknown))
			r.look(t)
			r.faults.Inject(domain.Fault{Kind: domain.FaultNodeDown, Which: "node-1"})
			r.delete(t, first)
			r.make(t, userOf("app-b", "node-2"))
			r.look(t)
			check(t, "attached", []string{"node-1"}, r.at(t))
			free(t, r)
			r.look(t)
			check(t, "attached", []string{"node-2"}, r.at(t))
		})
	}
}

// A later run goes on with what an earlier one has attached.
func TestAttachmentsOutliveTheProcess(t *testing.T) {
	r := newRoom(t, domain.RealPace, volumeWith(block, corev1.ReadWriteOnce), userOf("app-a", "node-1"))
	r.look(t)
	r.make(t, userOf("app-b", "node-2"))
	again := room{r.Client, newAttacher(r.Client, r.Options), r.faults}
	again.look(t)
	check(t, "attached", []string{"node-1"}, again.at(t))
}

func TestNodeSaysWhatItHas(t *testing.T) {
	r := newRoom(t, domain.RealPace, volumeWith(block, corev1.ReadWriteOnce), userOf("app-a", "node-1"), nodeOf("node-1", corev1.ConditionTrue))
	r.look(t)
	if _, err := (*shower)(r.attacher).Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Name: "node-1"}}); err != nil {
		t.Fatal(err)
	}
	node := nodeOf("node-1", "")
	if err := r.Get(t.Context(), client.ObjectKeyFromObject(node), node); err != nil {
		t.Fatal(err)
	}
	name := corev1.UniqueVolumeName("kubernetes.io/csi/" + block + "^pvc-1")
	check(t, "attached", []corev1.AttachedVolume{{Name: name}}, node.Status.VolumesAttached)
	check(t, "in use", []corev1.UniqueVolumeName{name}, node.Status.VolumesInUse)
}

func TestWhichVolumesAreAttached(t *testing.T) {
	no := false
	drivers := []client.Object{
		&storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: "nfs.csi.k8s.io"}, Spec: storagev1.CSIDriverSpec{AttachRequired: &no}},
		&storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: "disk.example.org"}},
	}
	share := volumeWith("", corev1.ReadWriteOnce)
	share.Spec.PersistentVolumeSource = corev1.PersistentVolumeSource{NFS: &corev1.NFSVolumeSource{Server: "nas", Path: "/"}}
	for _, test := range []struct {
		volume *corev1.PersistentVolume
		want   bool
	}{
		{volumeWith(block), true}, {volumeWith("driver.longhorn.io"), true}, {volumeWith("disk.example.org"), true},
		{volumeWith("nfs.csi.k8s.io"), false}, {volumeWith("openebs.io/local"), false}, {volumeWith("storage.hearth.dev"), false}, {share, false},
	} {
		r := newRoom(t, domain.RealPace, drivers...)
		got, err := Needed(t.Context(), r, test.volume)
		if err != nil || got != test.want {
			t.Errorf("%q: %v, %v", Driver(test.volume), got, err)
		}
	}
	if name := Name(volumeWith(block), "node-1"); !strings.HasPrefix(name, "csi-") || len(name) != 68 {
		t.Errorf("an attachment is called %s", name)
	}
}

// TestLateNewsOfAClaim has a pod be seen before its claim is seen to have a
// volume, and a driver after the volume.
func TestLateNewsOfAClaim(t *testing.T) {
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "data"}}
	r := newRoom(t, domain.RealPace, volumeWith("csi.example.org"), claim)
	if got := r.volumesOf(t.Context(), userOf("a", "node-1")); len(got) > 0 {
		t.Fatalf("the claim has no volume, but %v", got)
	}
	claim.Spec.VolumeName = "pvc-1"
	want := []reconcile.Request{{NamespacedName: client.ObjectKey{Name: "pvc-1"}}}
	if diff := cmp.Diff(want, volumeOfClaim(t.Context(), claim)); diff != "" {
		t.Errorf("once the claim has it (-want +got):\n%s", diff)
	}
	driver := &storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: "csi.example.org"}}
	if diff := cmp.Diff(want, r.volumesBy(t.Context(), driver)); diff != "" {
		t.Errorf("once the driver is known (-want +got):\n%s", diff)
	}
}
