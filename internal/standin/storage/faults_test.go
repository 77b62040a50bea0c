package storage

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/kube/scheme"
	"hearth/internal/standin/patience"
)

// room is a provisioner, and what it works on.
type room struct {
	client.Client
	*provisioner
	claim *corev1.PersistentVolumeClaim
}

func newRoom(t *testing.T, faults *domain.Faults) room {
	t.Helper()
	claim := claimFor("ssd", "1Gi")
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "ssd"}, Provisioner: "disk.example.org"}
	c := fake.NewClientBuilder().WithScheme(scheme.New()).WithObjects(claim, class).WithStatusSubresource(claim).Build()
	p := &provisioner{Options: Options{Faults: faults, Pace: domain.RealPace}, client: c, fills: newFills(), last: patience.New(nil, func(string, error) {})}
	p.prepare()
	return room{c, p, claim}
}

func (r room) look(t *testing.T) reconcile.Result {
	t.Helper()
	result, err := r.provision(t.Context(), r.claim)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// volume returns the claim's volume, or nil.
func (r room) volume(t *testing.T) *corev1.PersistentVolume {
	t.Helper()
	v := &corev1.PersistentVolume{}
	err := r.Get(t.Context(), client.ObjectKey{Name: "pvc-u"}, v)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// said returns how often an event was told of the claim.
func (r room) said(t *testing.T, reason, text string) int {
	t.Helper()
	list := &corev1.EventList{}
	if err := r.List(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range list.Items {
		if e.InvolvedObject.Name == r.claim.Name && e.Reason == reason && strings.Contains(e.Message, text) {
			n++
		}
	}
	return n
}

// A claim of a class that is befallen stays Pending with the documented event,
// and gets its volume once the fault is lifted. The events are those of
// https://github.com/kubernetes-csi/external-provisioner and of the control
// plane's persistentvolume-controller.
func TestClaimsWaitOutStorageFaults(t *testing.T) {
	for _, c := range []struct {
		kind         domain.FaultKind
		reason, text string
	}{
		{domain.FaultDiskFull, "ProvisioningFailed", `failed to provision volume with StorageClass "ssd": rpc error: code = ResourceExhausted`},
		{domain.FaultClassMissing, "ExternalProvisioning", "Waiting for a volume to be created either by the external provisioner 'disk.example.org' or manually by the system administrator."},
		{domain.FaultSlowDisk, "Provisioning", `External provisioner is provisioning volume for claim "n/c"`},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			faults := &domain.Faults{}
			r := newRoom(t, faults)
			fault := domain.Fault{Kind: c.kind, Which: "ssd"}
			faults.Inject(fault)
			faults.Inject(domain.Fault{Kind: c.kind, Which: "other"})
			result := r.look(t)
			r.look(t)
			if v := r.volume(t); v != nil {
				t.Fatalf("the claim has %s", v.Name)
			}
			if n := r.said(t, c.reason, c.text); n != 1 {
				t.Errorf("%s was told %d times", c.reason, n)
			}
			if waits := result.RequeueAfter > 0; waits != (c.kind == domain.FaultSlowDisk) {
				t.Errorf("it is looked at again in %s", result.RequeueAfter)
			}
			faults.Lift(fault)
			if r.look(t); r.volume(t) == nil {
				t.Error("the claim has no volume although the fault is lifted")
			}
			if r.said(t, "ProvisioningSucceeded", "Successfully provisioned volume pvc-u") != 1 {
				t.Error("nobody says that there is a volume")
			}
		})
	}
}

// The event is that of https://github.com/kubernetes-csi/external-resizer.
func TestFullDiskKeepsVolumesFromGrowing(t *testing.T) {
	faults := &domain.Faults{}
	r := newRoom(t, faults)
	r.look(t)
	full := domain.Fault{Kind: domain.FaultDiskFull, Which: "ssd"}
	faults.Inject(full)
	r.claim.Spec.VolumeName = "pvc-u"
	r.claim.Spec.Resources.Requests[corev1.ResourceStorage] = resource.MustParse("2Gi")
	r.claim.Status.Phase, r.claim.Status.Capacity = corev1.ClaimBound, corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	grow := func() string {
		t.Helper()
		if err := r.expand(t.Context(), r.claim); err != nil {
			t.Fatal(err)
		}
		return r.volume(t).Spec.Capacity.Storage().String()
	}
	if got := grow(); got != "1Gi" {
		t.Errorf("the volume has %s on a full disk", got)
	}
	if r.said(t, "VolumeResizeFailed", "code = ResourceExhausted desc = no space left") != 1 {
		t.Error("nobody says that it cannot grow")
	}
	faults.Lift(full)
	if got := grow(); got != "2Gi" {
		t.Errorf("the volume has %s although there is room", got)
	}
}
