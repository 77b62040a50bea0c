package integration_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/standin"
)

// TestOperators checks the stand-ins of operators against the documented
// contract of what they play, all on one control plane, beside each other.
func TestOperators(t *testing.T) {
	t.Parallel()
	s := openStage(t, standin.Options{BackoffPace: 1000, Capacity: map[string]resource.Quantity{"small": resource.MustParse("1500Mi")}})
	for _, check := range []struct {
		name string
		f    func(*testing.T, *stage, *domain.Faults)
	}{
		{"AbsentOperatorDoesNothing", checkAbsentOperatorDoesNothing},
		{"PostgresClusterComesUpAndFailsOver", checkPostgresClusterComesUpAndFailsOver},
		{"PostgresClusterWaitsForItsSecret", checkPostgresClusterWaitsForItsSecret},
		{"PostgresBackups", checkPostgresBackups},
		{"FullDiskLeavesClaimsPending", checkFullDiskLeavesClaimsPending},
		{"SnapshotsAndReplications", checkSnapshotsAndReplications},
		{"ClaimsWaitForWhatFillsThem", checkClaimsWaitForWhatFillsThem},
		{"CertificateIsIssuedAndRenewed", checkCertificateIsIssuedAndRenewed},
		{"CertificateIsRefused", checkCertificateIsRefused},
		{"CertificateOfOwnAuthority", checkCertificateOfOwnAuthority},
	} {
		t.Run(check.name, func(t *testing.T) {
			t.Parallel()
			check.f(t, s, s.faults)
		})
	}
}

// customAwait waits until a custom object is as ok says.
func customAwait(t *testing.T, s *stage, obj *unstructured.Unstructured, what string, ok func(*unstructured.Unstructured) bool) *unstructured.Unstructured {
	t.Helper()
	return await(t, s, obj, listOf(obj), what, ok)
}

// conditionOf returns a condition's status and reason.
func conditionOf(obj *unstructured.Unstructured, kind string) (status, reason, message string) {
	list, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, item := range list {
		if c, ok := item.(map[string]any); ok && c["type"] == kind {
			status, _ = c["status"].(string)
			reason, _ = c["reason"].(string)
			message, _ = c["message"].(string)
		}
	}
	return status, reason, message
}

func text(obj *unstructured.Unstructured, path ...string) string {
	value, _, _ := unstructured.NestedString(obj.Object, path...)
	return value
}

// An operator that is not there, and whose kind somebody has brought, does
// nothing; it begins once its pods run, and stops with a fault.
func checkAbsentOperatorDoesNothing(t *testing.T, s *stage, faults *domain.Faults) {
	ns := s.namespace(t)
	cache := customOf("dragonflydb.io/v1alpha1", "Dragonfly", ns, "cache", map[string]any{})
	after := customOf("stand.example.org/v1", "Unheard", ns, "after", map[string]any{})
	s.make(t, cache)
	s.make(t, after)
	customAwait(t, s, after, "played", hasStatus)
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(cache), cache); err != nil || hasStatus(cache) {
		t.Fatalf("an operator that is not there acts: %v %v", cache.Object["status"], err)
	}
	s.make(t, podOf(ns, "operator", func(pod *corev1.Pod) {
		pod.Labels = map[string]string{"app.kubernetes.io/name": "dragonfly-operator"}
	}))
	customAwait(t, s, cache, "played once the operator runs", hasStatus)

	down := domain.Fault{Kind: domain.FaultOperatorDown, Which: "dragonfly-operator"}
	faults.Inject(down)
	late := customOf("dragonflydb.io/v1alpha1", "Dragonfly", ns, "late", map[string]any{})
	more := customOf("stand.example.org/v1", "Unheard", ns, "more", map[string]any{})
	s.make(t, late)
	s.make(t, more)
	customAwait(t, s, more, "played", hasStatus)
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(late), late); err != nil || hasStatus(late) {
		t.Fatalf("an operator that is down acts: %v %v", late.Object["status"], err)
	}
	faults.Lift(down)
	customAwait(t, s, late, "played once the operator is up again", hasStatus)
}

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not in two minutes: %s", what)
}
