package integration_test

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The rules are those of https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes
// and https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#non-graceful-node-shutdown,
// the words those of k8s.io/kubernetes/pkg/controller/volume/attachdetach 1.37.
func checkVolumeIsAttachedToOneNode(t *testing.T, s *stage) {
	ns := s.namespace(t)
	driver := &storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: "block-" + ns + ".example.org"}}
	class := "block-" + ns
	s.make(t, driver)
	t.Cleanup(func() { _ = s.Delete(t.Context(), driver) })
	s.makeClass(t, classOf(class, driver.Name, storagev1.VolumeBindingImmediate))
	claim := claimOf(ns, "data", &class)
	s.make(t, claim)
	volume := awaitBound(t, s, claim).Spec.VolumeName
	pod := func(name, node string) *corev1.Pod {
		return podOf(ns, name, func(pod *corev1.Pod) {
			pod.Spec.NodeName = node
			pod.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
			pod.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"},
			}}}
		})
	}
	first, second, beside := pod("first", "node-1"), pod("second", "node-3"), pod("beside", "node-3")
	s.make(t, first)
	awaitPod(t, s, first, "ready", isReady)
	s.awaitEvent(t, ns, "first", "SuccessfulAttachVolume", fmt.Sprintf("AttachVolume.Attach succeeded for volume %q", volume))
	s.make(t, second)
	s.awaitEvent(t, ns, "second", "FailedAttachVolume", fmt.Sprintf("Waiting for detach for volume %q Volume is already used by pod(s) first", volume))
	awaitPod(t, s, second, "waiting", func(p *corev1.Pod) bool {
		reason, _ := waitingReason(p, "app")
		return reason == "ContainerCreating"
	})
	s.awaitAttached(t, volume, "node-1")
	if err := s.Delete(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	awaitPod(t, s, second, "ready once the volume is free", isReady)
	s.make(t, beside)
	awaitPod(t, s, beside, "ready beside a pod of its node", isReady)
	s.awaitAttached(t, volume, "node-3")
}

// awaitAttached waits until a volume is attached to one node, and no other.
func (s *stage) awaitAttached(t *testing.T, volume, node string) {
	t.Helper()
	name := corev1.UniqueVolumeName("^" + volume)
	await(t, s, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}}, &corev1.NodeList{}, "with the volume", func(n *corev1.Node) bool {
		return slices.ContainsFunc(n.Status.VolumesAttached, func(v corev1.AttachedVolume) bool {
			return len(v.Name) > len(name) && v.Name[len(v.Name)-len(name):] == name
		})
	})
	list := &storagev1.VolumeAttachmentList{}
	if err := s.List(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	var nodes []string
	for _, a := range list.Items {
		if of := a.Spec.Source.PersistentVolumeName; of != nil && *of == volume && a.Status.Attached {
			nodes = append(nodes, a.Spec.NodeName)
		}
	}
	if !slices.Equal(nodes, []string{node}) {
		t.Errorf("the volume is attached to %v, not to %s", nodes, node)
	}
}
