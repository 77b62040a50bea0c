package storage

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/objects"
)

func objectWith(status map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"status": status}}
}

// The words are those of https://github.com/kubernetes-csi/external-provisioner.
func TestSnapshotHasToBeReadyAndSmallEnough(t *testing.T) {
	claim := claimFor("ssd", "1Gi")
	for name, c := range map[string]struct {
		snapshot *unstructured.Unstructured
		want     string
	}{
		"missing":   {nil, `error getting snapshot s from api server: volumesnapshots.snapshot.storage.k8s.io "s" not found`},
		"new":       {objectWith(nil), "snapshot s is not Ready"},
		"not ready": {objectWith(map[string]any{"readyToUse": false}), "snapshot s is not Ready"},
		"too large": {objectWith(map[string]any{"readyToUse": true, "restoreSize": "2Gi"}), "requested volume size 1073741824 is less than the size 2147483648 for the source snapshot s"},
		"ready":     {objectWith(map[string]any{"readyToUse": true, "restoreSize": "1Gi"}), ""},
	} {
		if got := snapshotProblem(claim, c.snapshot, "s"); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestClonedClaimHasToBeBound(t *testing.T) {
	from := contents{claimKind, types.NamespacedName{Namespace: "n", Name: "o"}}
	for want, of := range map[string]*unstructured.Unstructured{
		`error getting PVC o (namespace "n") from api server: persistentvolumeclaim "o" not found`: nil,
		"the PVC DataSource o must have a status of Bound.  Got Pending":                           objectWith(map[string]any{"phase": "Pending"}),
		"": objectWith(map[string]any{"phase": "Bound"}),
	} {
		if got := cloneProblem(claimFor("ssd", "1Gi"), of, from); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// A populator that nobody knows is taken to follow the usual conventions.
func TestUnknownPopulatorIsReadyByConvention(t *testing.T) {
	open := true
	takes := &apiextensionsv1.CustomResourceDefinitionVersion{
		Subresources: &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
		Schema:       &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{XPreserveUnknownFields: &open}},
	}
	ready := func(status string) map[string]any {
		return map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": status}}}
	}
	for name, c := range map[string]struct {
		status  map[string]any
		version *apiextensionsv1.CustomResourceDefinitionVersion
		want    bool
	}{
		"says nothing yet":       {nil, takes, false},
		"can say nothing":        {nil, &apiextensionsv1.CustomResourceDefinitionVersion{}, true},
		"not ready":              {ready("False"), takes, false},
		"ready":                  {ready("True"), takes, true},
		"says something else":    {map[string]any{"phase": "Completed"}, takes, true},
		"a kind of the core one": {nil, nil, true},
	} {
		if got := filled(objectWith(c.status), c.version); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestContentsAreTheReferencesOfAClaim(t *testing.T) {
	group := "volsync.backube"
	claim := claimFor("ssd", "1Gi")
	if _, ok := contentsOf(claim); ok {
		t.Error("a plain claim is filled from something")
	}
	claim.Spec.DataSource = &corev1.TypedLocalObjectReference{Kind: "PersistentVolumeClaim", Name: "o"}
	if got, ok := contentsOf(claim); !ok || got.GroupKind != claimKind || got.Name != "o" || got.Namespace != "n" {
		t.Errorf("a clone is filled from %+v", got)
	}
	claim.Spec.DataSourceRef = &corev1.TypedObjectReference{APIGroup: &group, Kind: "ReplicationDestination", Name: "d"}
	if got, _ := contentsOf(claim); got.GroupKind != destinationKind || got.Name != "d" {
		t.Errorf("it is filled from %+v", got)
	}
}

func TestClaimIsLookedAtAgainWhenItsContentsChange(t *testing.T) {
	queue := newQueue(t)
	f := newFills()
	if err := f.Start(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	claim := types.NamespacedName{Namespace: "n", Name: "c"}
	from := contents{snapshotKind, types.NamespacedName{Namespace: "n", Name: "s"}}
	change := objects.Change{Key: objects.Key{GroupVersionKind: from.WithVersion("v1"), NamespacedName: from.NamespacedName}}
	f.wait(claim, from)
	f.changed(change)
	if got := queue.Len(); got != 1 {
		t.Errorf("%d claims are looked at", got)
	}
	crd := &apiextensionsv1.CustomResourceDefinition{Spec: apiextensionsv1.CustomResourceDefinitionSpec{
		Group: snapshotKind.Group, Names: apiextensionsv1.CustomResourceDefinitionNames{Kind: snapshotKind.Kind},
	}}
	if got := f.kind(t.Context(), crd); len(got) != 1 || got[0].NamespacedName != claim {
		t.Errorf("a new kind wakes %v", got)
	}
	f.forget(claim)
	if got := f.kind(t.Context(), crd); len(got) != 0 {
		t.Errorf("a new kind wakes %v", got)
	}
}

func newQueue(t *testing.T) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	t.Helper()
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	t.Cleanup(queue.ShutDown)
	return queue
}
