package integration_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func customOf(apiVersion, kind, namespace, name string, spec map[string]any) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "spec": spec}}
	obj.SetNamespace(namespace)
	obj.SetName(name)
	return obj
}

func listOf(obj *unstructured.Unstructured) *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion(obj.GetAPIVersion())
	list.SetKind(obj.GetKind() + "List")
	return list
}

func checkOperatorWhosePodsAreDownDoesNothing(t *testing.T, s *stage) {
	ns := s.namespace(t)
	operator := podOf(ns, "operator", func(pod *corev1.Pod) {
		pod.Labels = map[string]string{"app.kubernetes.io/name": "cloudnative-pg"}
		pod.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "later"}}}}
	})
	s.make(t, operator)
	awaitPod(t, s, operator, "waiting", func(p *corev1.Pod) bool { r, _ := waitingReason(p, "app"); return r == "CreateContainerConfigError" })

	db := customOf("postgresql.cnpg.io/v1", "Cluster", ns, "db", map[string]any{"storage": map[string]any{"size": "1Gi"}})
	s.make(t, db)
	// Something later is played while this one waits.
	after := customOf("stand.example.org/v1", "Unheard", ns, "after", map[string]any{})
	s.make(t, after)
	await(t, s, after, listOf(after), "played", hasStatus)
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(db), db); err != nil || hasStatus(db) {
		t.Fatalf("the operator acts although its pod does not run: %v %v", db.Object["status"], err)
	}
	s.make(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "later"}})
	await(t, s, db, listOf(db), "played once the operator runs", hasStatus)
}

func hasStatus(o *unstructured.Unstructured) bool { return o.Object["status"] != nil }

func checkUnknownKindIsReadyByConvention(t *testing.T, s *stage) {
	ns := s.namespace(t)
	left := customOf("stand.example.org/v1", "Configuration", ns, "left", map[string]any{})
	unknown := customOf("stand.example.org/v1", "Unheard", ns, "unknown", map[string]any{})
	s.make(t, left, unknown)
	got := await(t, s, unknown, listOf(unknown), "ready", hasStatus)
	conditions, _, _ := unstructured.NestedSlice(got.Object, "status", "conditions")
	if len(conditions) != 1 || conditions[0].(map[string]any)["type"] != "Ready" || conditions[0].(map[string]any)["status"] != "True" {
		t.Errorf("conditions are %v", conditions)
	}
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(left), left); err != nil || hasStatus(left) {
		t.Errorf("a kind that is to be left alone has %v (%v)", left.Object["status"], err)
	}
	found := false
	for _, a := range s.assumptions.List() {
		found = found || a.Subject == "Unheard.stand.example.org"
	}
	if !found {
		t.Error("playing an unknown kind is no assumption")
	}
}
