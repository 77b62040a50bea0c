package integration_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
)

// The events are those of https://github.com/kubernetes-csi/external-provisioner;
// the code ResourceExhausted is what the CSI specification asks drivers for.
func checkFullDiskLeavesClaimsPending(t *testing.T, s *stage, faults *domain.Faults) {
	ns := s.namespace(t)
	small, full := "small", "full-"+ns
	s.makeClass(t, classOf(small, "disk.example.org", storagev1.VolumeBindingImmediate))
	s.makeClass(t, classOf(full, "disk.example.org", storagev1.VolumeBindingImmediate))
	first, second := claimOf(ns, "first", &small), claimOf(ns, "second", &small)
	s.make(t, first)
	awaitBound(t, s, first)
	s.make(t, second)
	s.awaitEvent(t, ns, "second", "ProvisioningFailed", `failed to provision volume with StorageClass "small": rpc error: code = ResourceExhausted`)
	// Room that becomes free is used.
	if err := s.Delete(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	awaitBound(t, s, second)

	fault := domain.Fault{Kind: domain.FaultDiskFull, Which: full}
	faults.Inject(fault)
	third := claimOf(ns, "third", &full)
	s.make(t, third)
	s.awaitEvent(t, ns, "third", "ProvisioningFailed", "ResourceExhausted")
	faults.Lift(fault)
	awaitBound(t, s, third)
}

// https://kubernetes.io/docs/concepts/storage/volume-snapshots and
// https://volsync.readthedocs.io/en/stable/usage/triggers.html.
func checkSnapshotsAndReplications(t *testing.T, s *stage, _ *domain.Faults) {
	ns := s.namespace(t)
	class := "cut-" + ns
	s.makeClass(t, classOf(class, "disk.example.org", storagev1.VolumeBindingImmediate))
	cut := customOf("snapshot.storage.k8s.io/v1", "VolumeSnapshot", ns, "cut", map[string]any{"source": map[string]any{"persistentVolumeClaimName": "data"}})
	mover := map[string]any{"repository": "repository", "copyMethod": "Snapshot"}
	from := customOf("volsync.backube/v1alpha1", "ReplicationSource", ns, "data", map[string]any{"sourcePVC": "data", "restic": mover, "trigger": map[string]any{"schedule": "0 3 * * *"}})
	to := customOf("volsync.backube/v1alpha1", "ReplicationDestination", ns, "data", map[string]any{"restic": mover, "trigger": map[string]any{"manual": "once"}})
	s.make(t, cut, from, to)
	customAwait(t, s, cut, "refused", func(o *unstructured.Unstructured) bool { return text(o, "status", "error", "message") != "" })
	customAwait(t, s, to, "without its repository", func(o *unstructured.Unstructured) bool {
		status, reason, message := conditionOf(o, "Synchronizing")
		return status == "False" && reason == "Error" && message == `Secret "repository" not found`
	})
	s.make(t, claimOf(ns, "data", &class), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "repository"}})
	got := customAwait(t, s, cut, "ready to use", func(o *unstructured.Unstructured) bool {
		ready, _, _ := unstructured.NestedBool(o.Object, "status", "readyToUse")
		return ready && text(o, "status", "restoreSize") == "1Gi"
	})
	content := customOf("snapshot.storage.k8s.io/v1", "VolumeSnapshotContent", "", text(got, "status", "boundVolumeSnapshotContentName"), nil)
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(content), content); err != nil {
		t.Fatal(err)
	}
	customAwait(t, s, from, "waiting for its schedule", func(o *unstructured.Unstructured) bool {
		_, reason, _ := conditionOf(o, "Synchronizing")
		return reason == "WaitingForSchedule" && text(o, "status", "lastSyncTime") != "" && text(o, "status", "nextSyncTime") != "" &&
			text(o, "status", "latestMoverStatus", "result") == "Successful"
	})
	got = customAwait(t, s, to, "waiting for its next trigger", func(o *unstructured.Unstructured) bool {
		_, reason, _ := conditionOf(o, "Synchronizing")
		return reason == "WaitingForManual" && text(o, "status", "lastManualSync") == "once"
	})
	image := customOf("snapshot.storage.k8s.io/v1", "VolumeSnapshot", ns, text(got, "status", "latestImage", "name"), nil)
	customAwait(t, s, image, "ready to use", func(o *unstructured.Unstructured) bool {
		ready, _, _ := unstructured.NestedBool(o.Object, "status", "readyToUse")
		return ready
	})
	// A content goes with its snapshot.
	if err := s.Delete(t.Context(), cut); err != nil {
		t.Fatal(err)
	}
	s.awaitGone(t, content)
}

// https://volsync.readthedocs.io/en/stable/usage/volume-populator/; the words are
// those of VolSync's populator and of https://github.com/kubernetes-csi/external-provisioner.
func checkClaimsWaitForWhatFillsThem(t *testing.T, s *stage, _ *domain.Faults) {
	ns := s.namespace(t)
	class := "fill-" + ns
	s.makeClass(t, classOf(class, "disk.example.org", storagev1.VolumeBindingImmediate))
	from := func(name, group, kind string) *corev1.PersistentVolumeClaim {
		claim := claimOf(ns, name, &class)
		claim.Spec.DataSourceRef = &corev1.TypedObjectReference{APIGroup: &group, Kind: kind, Name: name}
		return claim
	}
	restored, cut := from("restored", "volsync.backube", "ReplicationDestination"), from("cut", "snapshot.storage.k8s.io", "VolumeSnapshot")
	s.make(t, restored, cut)
	s.awaitEvent(t, ns, "restored", "VolSyncPopulatorReplicationDestinationMissing", `Unable to populate volume: ReplicationDestination.volsync.backube "restored" not found`)
	s.awaitEvent(t, ns, "cut", "ProvisioningFailed", `error getting handle for DataSource Type VolumeSnapshot by Name cut: error getting snapshot cut from api server: volumesnapshots.snapshot.storage.k8s.io "cut" not found`)
	s.make(t,
		customOf("volsync.backube/v1alpha1", "ReplicationDestination", ns, "restored", map[string]any{
			"restic": map[string]any{"repository": "repository", "copyMethod": "Snapshot"}, "trigger": map[string]any{"manual": "restore-once"},
		}),
		customOf("snapshot.storage.k8s.io/v1", "VolumeSnapshot", ns, "cut", map[string]any{"source": map[string]any{"persistentVolumeClaimName": "data"}}))
	s.awaitEvent(t, ns, "restored", "VolSyncPopulatorReplicationDestinationNoLatestImage", "Unable to populate volume, waiting for replicationdestination to have latestImage")
	s.awaitEvent(t, ns, "cut", "ProvisioningFailed", "snapshot cut is not Ready")
	s.make(t, claimOf(ns, "data", &class), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "repository"}})
	awaitBound(t, s, restored)
	s.awaitEvent(t, ns, "restored", "VolSyncPopulatorFinished", "Populator finished")
	awaitBound(t, s, cut)
}
