package storage

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/standin/operator"
)

// snapshotProblem is what an external-provisioner says of a snapshot.
func snapshotProblem(claim *corev1.PersistentVolumeClaim, snapshot *unstructured.Unstructured, name string) string {
	if snapshot == nil {
		return fmt.Sprintf("error getting snapshot %s from api server: volumesnapshots.%s %q not found", name, snapshotKind.Group, name)
	}
	if !readyToUse(snapshot) {
		return fmt.Sprintf("snapshot %s is not Ready", name)
	}
	if metav1.GetControllerOfNoCopy(snapshot) != nil {
		return "" // of a volume whose size nobody knows here
	}
	size, known := quantity(snapshot, "status", "restoreSize")
	if asked := claim.Spec.Resources.Requests.Storage(); known && asked.Cmp(size) < 0 {
		return fmt.Sprintf("requested volume size %d is less than the size %d for the source snapshot %s", asked.Value(), size.Value(), name)
	}
	return ""
}

func readyToUse(snapshot *unstructured.Unstructured) bool {
	ready, _, _ := unstructured.NestedBool(snapshot.Object, "status", "readyToUse")
	return ready
}

func quantity(obj *unstructured.Unstructured, path ...string) (resource.Quantity, bool) {
	text, _, _ := unstructured.NestedString(obj.Object, path...)
	size, err := resource.ParseQuantity(text)
	return size, err == nil
}

// cloneProblem is what an external-provisioner says of a claim that another is
// a copy of.
func cloneProblem(claim *corev1.PersistentVolumeClaim, of *unstructured.Unstructured, from contents) string {
	if of == nil {
		return fmt.Sprintf("error getting PVC %s (namespace %q) from api server: persistentvolumeclaim %q not found", from.Name, from.Namespace, from.Name)
	}
	phase, _, _ := unstructured.NestedString(of.Object, "status", "phase")
	if phase != string(corev1.ClaimBound) {
		return fmt.Sprintf("the PVC DataSource %s must have a status of Bound.  Got %s", from.Name, phase)
	}
	if of.GetDeletionTimestamp() != nil {
		return fmt.Sprintf("the PVC DataSource %s is currently being deleted", from.Name)
	}
	size, known := quantity(of, "spec", "resources", "requests", "storage")
	if asked := claim.Spec.Resources.Requests.Storage(); known && asked.Cmp(size) < 0 {
		return fmt.Sprintf("error, new PVC request must be greater than or equal in size to the specified PVC data source, requested %d but source is %d", asked.Value(), size.Value())
	}
	return ""
}

// filled reports whether a populator that nobody knows has done its work, by
// the usual conventions: its object is Ready, or says nothing of it.
func filled(obj *unstructured.Unstructured, version *apiextensionsv1.CustomResourceDefinitionVersion) bool {
	status, _, _ := unstructured.NestedMap(obj.Object, "status")
	if len(status) == 0 {
		return version == nil || !operator.TakesConditions(version)
	}
	conditions, _, _ := unstructured.NestedSlice(status, "conditions")
	for _, c := range conditions {
		if one, _ := c.(map[string]any); one["type"] == "Ready" && one["status"] != "True" {
			return false
		}
	}
	return true
}
