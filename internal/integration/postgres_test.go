package integration_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
)

func postgresOf(ns, name string, spec map[string]any) *unstructured.Unstructured {
	spec["storage"] = map[string]any{"size": "1Gi", "storageClass": "databases-" + ns}
	return customOf("postgresql.cnpg.io/v1", "Cluster", ns, name, spec)
}

func (s *stage) makeDatabaseClass(t *testing.T, ns string) {
	t.Helper()
	s.makeClass(t, classOf("databases-"+ns, "disk.example.org", "WaitForFirstConsumer"))
}

func awaitHealthy(t *testing.T, s *stage, db *unstructured.Unstructured, instances int64) *unstructured.Unstructured {
	t.Helper()
	return customAwait(t, s, db, "healthy", func(o *unstructured.Unstructured) bool {
		ready, _, _ := unstructured.NestedInt64(o.Object, "status", "readyInstances")
		status, reason, _ := conditionOf(o, "Ready")
		return text(o, "status", "phase") == "Cluster in healthy state" && ready == instances && status == "True" && reason == "ClusterIsReady"
	})
}

// https://cloudnative-pg.io/documentation/current/labels_annotations,
// /service_management, /applications (the Secrets' keys), /failover.
func checkPostgresClusterComesUpAndFailsOver(t *testing.T, s *stage, _ *domain.Faults) {
	ns := s.namespace(t)
	s.makeDatabaseClass(t, ns)
	db := postgresOf(ns, "db", map[string]any{
		"instances": int64(2), "enableSuperuserAccess": true,
		"bootstrap": map[string]any{"initdb": map[string]any{"database": "mine", "owner": "me"}},
	})
	s.make(t, db)
	got := awaitHealthy(t, s, db, 2)
	if text(got, "status", "currentPrimary") != "db-1" || text(got, "status", "writeService") != "db-rw" {
		t.Errorf("status is %v", got.Object["status"])
	}
	secret := &corev1.Secret{}
	if err := s.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "db-app"}, secret); err != nil {
		t.Fatal(err)
	}
	if secret.Type != corev1.SecretTypeBasicAuth || string(secret.Data["username"]) != "me" || string(secret.Data["dbname"]) != "mine" || string(secret.Data["host"]) != "db-rw" {
		t.Errorf("the application's secret is a %s for %q of %q at %q", secret.Type, secret.Data["username"], secret.Data["dbname"], secret.Data["host"])
	}
	if uri := string(secret.Data["uri"]); !strings.HasPrefix(uri, "postgresql://me:") || !strings.HasSuffix(uri, "@db-rw."+ns+":5432/mine") {
		t.Error("the application's uri is of another form")
	}
	for _, name := range []string{"db-superuser", "db-ca", "db-server", "db-replication"} {
		if err := s.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, secret); err != nil {
			t.Error(err)
		}
	}
	awaitBound(t, s, claimOf(ns, "db-2", nil))
	awaitEndpoint(t, s, ns, "db-rw", "db-1")
	awaitEndpoint(t, s, ns, "db-ro", "db-2")

	// The primary's pod is lost: a replica takes over, the lost one comes back.
	if err := s.Delete(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "db-1"}}, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	customAwait(t, s, db, "led by the replica", func(o *unstructured.Unstructured) bool { return text(o, "status", "currentPrimary") == "db-2" })
	s.awaitEvent(t, ns, "db", "FailoverTarget", "Failing over from db-1 to db-2")
	awaitEndpoint(t, s, ns, "db-rw", "db-2")
	awaitEndpoint(t, s, ns, "db-ro", "db-1")
	awaitHealthy(t, s, db, 2)
	checkEvictedInstanceIsReplaced(t, s, db)

	// Fewer instances: the replica goes, with its volume.
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"instances":1}}`))
	if err := s.Patch(t.Context(), db, patch); err != nil {
		t.Fatal(err)
	}
	s.awaitGone(t, &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "db-2"}})
	awaitHealthy(t, s, db, 1)
}

// checkEvictedInstanceIsReplaced evicts the primary db-2, as a kubelet does: the
// other instance leads, and a new pod of the same name has the same volume.
func checkEvictedInstanceIsReplaced(t *testing.T, s *stage, db *unstructured.Unstructured) {
	t.Helper()
	ns := db.GetNamespace()
	evicted, claim := &corev1.Pod{}, &corev1.PersistentVolumeClaim{}
	for _, obj := range []client.Object{evicted, claim} {
		if err := s.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "db-2"}, obj); err != nil {
			t.Fatal(err)
		}
	}
	before := evicted.DeepCopy()
	evicted.Status.Phase, evicted.Status.Reason = corev1.PodFailed, "Evicted"
	evicted.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, Reason: "PodFailed"}}
	if err := s.Status().Patch(t.Context(), evicted, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	customAwait(t, s, db, "led by the other", func(o *unstructured.Unstructured) bool { return text(o, "status", "currentPrimary") == "db-1" })
	s.awaitEvent(t, ns, "db", "DeletePod", "Deleted evicted/unscheduled Pod db-2")
	awaitPod(t, s, evicted, "replaced", func(p *corev1.Pod) bool { return p.UID != before.UID && isReady(p) })
	awaitHealthy(t, s, db, 2)
	same := &corev1.PersistentVolumeClaim{}
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(claim), same); err != nil || same.UID != claim.UID {
		t.Errorf("the instance has another volume (%v)", err)
	}
	awaitEndpoint(t, s, ns, "db-rw", "db-1")
}

// awaitEndpoint waits until a Service leads to a pod, and to it alone.
func awaitEndpoint(t *testing.T, s *stage, ns, service, pod string) {
	t.Helper()
	slices := &discoveryv1.EndpointSliceList{}
	eventually(t, service+" leads to "+pod, func() bool {
		if err := s.List(t.Context(), slices, client.InNamespace(ns), client.MatchingLabels{discoveryv1.LabelServiceName: service}); err != nil {
			t.Fatal(err)
		}
		var ready []string
		for _, slice := range slices.Items {
			for _, e := range slice.Endpoints {
				if e.Conditions.Ready != nil && *e.Conditions.Ready && e.TargetRef != nil {
					ready = append(ready, e.TargetRef.Name)
				}
			}
		}
		return len(ready) == 1 && ready[0] == pod
	})
}

// A Cluster whose author supplies the credentials needs them.
func checkPostgresClusterWaitsForItsSecret(t *testing.T, s *stage, _ *domain.Faults) {
	ns := s.namespace(t)
	s.makeDatabaseClass(t, ns)
	db := postgresOf(ns, "db", map[string]any{
		"instances": int64(1), "bootstrap": map[string]any{"initdb": map[string]any{"secret": map[string]any{"name": "mine"}}},
	})
	s.make(t, db)
	customAwait(t, s, db, "being set up", func(o *unstructured.Unstructured) bool {
		return text(o, "status", "phase") == "Setting up primary" && text(o, "status", "phaseReason") == "Creating primary instance db-1"
	})
	none := &corev1.Pod{}
	if err := s.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "db-1"}, none); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the instance is made without its Secret (%v)", err)
	}
	database := customOf("postgresql.cnpg.io/v1", "Database", ns, "second", map[string]any{"name": "second", "owner": "app", "cluster": map[string]any{"name": "db"}})
	s.make(t, database, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "mine"}})
	awaitHealthy(t, s, db, 1)
	customAwait(t, s, database, "applied", func(o *unstructured.Unstructured) bool {
		applied, _, _ := unstructured.NestedBool(o.Object, "status", "applied")
		return applied
	})
	if err := s.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "db-app"}, &corev1.Secret{}); err == nil {
		t.Error("a Secret is made for the application although its author supplies one")
	}
}

// https://cloudnative-pg.io/documentation/current/backup: the phases of a
// Backup, and six fields of a schedule.
func checkPostgresBackups(t *testing.T, s *stage, _ *domain.Faults) {
	ns := s.namespace(t)
	s.makeDatabaseClass(t, ns)
	of := map[string]any{"name": "db"}
	db := postgresOf(ns, "db", map[string]any{"backup": map[string]any{"barmanObjectStore": map[string]any{"destinationPath": "s3://backups"}}})
	nightly := customOf("postgresql.cnpg.io/v1", "ScheduledBackup", ns, "nightly", map[string]any{"schedule": "0 0 3 * * *", "immediate": true, "cluster": of, "backupOwnerReference": "self"})
	plugin := customOf("postgresql.cnpg.io/v1", "Backup", ns, "no-snapshots", map[string]any{"cluster": of, "method": "volumeSnapshot"})
	pooler := customOf("postgresql.cnpg.io/v1", "Pooler", ns, "pool", map[string]any{"cluster": of, "instances": int64(1), "type": "rw"})
	s.make(t, db, nightly, plugin, pooler)
	customAwait(t, s, nightly, "scheduled", func(o *unstructured.Unstructured) bool { return text(o, "status", "nextScheduleTime") != "" })
	customAwait(t, s, plugin, "failed", func(o *unstructured.Unstructured) bool { return text(o, "status", "phase") == "failed" })
	customAwait(t, s, db, "backed up", func(o *unstructured.Unstructured) bool {
		status, _, _ := conditionOf(o, "LastBackupSucceeded")
		return status == "True" && text(o, "status", "lastSuccessfulBackup") != ""
	})
	awaitEndpoint(t, s, ns, "db-rw", "db-1")
}
