// Package snapshot plays the snapshot controller and the drivers behind it:
// VolumeSnapshots of claims that are bound become ready to use, each with its
// VolumeSnapshotContent, which goes with it where the class says so.
//
// The rules and messages are those of
// https://kubernetes.io/docs/concepts/storage/volume-snapshots. A snapshot
// that VolSync makes needs no claim: the volume that it fills has no consumer
// here. Group snapshots are not played.
package snapshot

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/standin/operator"
)

const group = "snapshot.storage.k8s.io"

var (
	claimKind    = corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim")
	snapshotKind = schema.GroupVersionKind{Group: group, Version: "v1", Kind: "VolumeSnapshot"}
	contentKind  = schema.GroupVersionKind{Group: group, Version: "v1", Kind: "VolumeSnapshotContent"}
	classKind    = schema.GroupVersionKind{Group: group, Version: "v1", Kind: "VolumeSnapshotClass"}
)

// cutSpan is how long it takes to cut a snapshot.
var cutSpan = domain.Range{Min: time.Second, Max: 5 * time.Second}

// Setup registers the stand-in with the manager.
func Setup(mgr manager.Manager, o operator.Options) error {
	return operator.Setup(mgr, o, operator.Part{
		Name: "snapshot", Plays: plays, See: see, Follows: []schema.GroupVersionKind{claimKind},
	})
}

func plays(crd *apiextensionsv1.CustomResourceDefinition, _ *apiextensionsv1.CustomResourceDefinitionVersion) *operator.Role {
	if crd.Spec.Group != group || crd.Spec.Names.Kind != "VolumeSnapshot" && crd.Spec.Names.Kind != "VolumeSnapshotContent" {
		return nil
	}
	return &operator.Role{Operator: "snapshot-controller", Pods: operator.Named("snapshot-controller"), Images: []string{"snapshot-controller"}}
}

func see(ctx context.Context, v *operator.Visit) (reconcile.Result, error) {
	if v.Object.GetKind() == contentKind.Kind {
		return reconcile.Result{}, seeContent(ctx, v)
	}
	status := operator.Status(v.Object)
	if status["readyToUse"] == true {
		return reconcile.Result{}, nil
	}
	size, handle, problem, err := source(ctx, v)
	if err != nil {
		return reconcile.Result{}, err
	}
	if problem != "" {
		return reconcile.Result{}, refuse(ctx, v, status, problem)
	}
	if left := v.Left(operator.StepReconcile, cutSpan); left > 0 {
		return reconcile.Result{RequeueAfter: left}, nil
	}
	v.Assume()
	name := "snapcontent-" + string(v.Object.GetUID())
	at := time.Now().UTC()
	if err := makeContent(ctx, v, name, size, handle, at); err != nil {
		return reconcile.Result{}, err
	}
	status["boundVolumeSnapshotContentName"], status["readyToUse"] = name, true
	status["creationTime"], status["restoreSize"], status["error"] = at.Format(time.RFC3339), size, nil
	if _, err := v.WriteStatus(ctx, status); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, v.TellOnce(ctx, "snapshot-controller", corev1.EventTypeNormal, "SnapshotReady", "Snapshot %s/%s is ready to use.", v.Object.GetNamespace(), v.Object.GetName())
}

// source returns what a snapshot is cut of, and why it cannot be yet.
func source(ctx context.Context, v *operator.Visit) (size, handle, problem string, err error) {
	if owner := metav1.GetControllerOfNoCopy(v.Object); owner != nil && schema.FromAPIVersionAndKind(owner.APIVersion, owner.Kind).Group == "volsync.backube" {
		return "1Gi", "volsync-" + owner.Name, "", nil
	}
	name, _, _ := unstructured.NestedString(v.Object.Object, "spec", "source", "persistentVolumeClaimName")
	if name == "" {
		return "1Gi", string(v.Object.GetUID()), "", nil // a content that is there already
	}
	claim, err := v.Find(ctx, claimKind, v.Object.GetNamespace(), name)
	if err != nil {
		return "", "", "", err
	}
	if claim == nil {
		return "", "", fmt.Sprintf("failed to retrieve PVC %s from the lister: \"persistentvolumeclaim %q not found\"", name, name), nil
	}
	if phase, _, _ := unstructured.NestedString(claim.Object, "status", "phase"); phase != string(corev1.ClaimBound) {
		return "", "", fmt.Sprintf("the PVC %s is not yet bound to a PV, will not attempt to take a snapshot", name), nil
	}
	size, _, _ = unstructured.NestedString(claim.Object, "status", "capacity", "storage")
	handle, _, _ = unstructured.NestedString(claim.Object, "spec", "volumeName")
	return size, handle, "", nil
}

// refuse says why a snapshot cannot be cut.
func refuse(ctx context.Context, v *operator.Visit, status map[string]any, problem string) error {
	message := fmt.Sprintf("Failed to create snapshot content with error snapshot controller failed to update %s on API server: %s", v.Object.GetName(), problem)
	had, _ := status["error"].(map[string]any)
	if had["message"] == message {
		return nil
	}
	status["readyToUse"] = false
	status["error"] = map[string]any{"message": message, "time": time.Now().UTC().Format(time.RFC3339)}
	if _, err := v.WriteStatus(ctx, status); err != nil {
		return err
	}
	return v.TellOnce(ctx, "snapshot-controller", corev1.EventTypeWarning, "SnapshotContentCreationFailed", "%s", message)
}

// makeContent makes the content that a snapshot is bound to.
func makeContent(ctx context.Context, v *operator.Visit, name, size, handle string, at time.Time) error {
	class, _, _ := unstructured.NestedString(v.Object.Object, "spec", "volumeSnapshotClassName")
	driver, policy := "storage.hearth.dev", "Delete"
	if found, err := v.Find(ctx, classKind, "", class); err != nil {
		return err
	} else if found != nil {
		driver, _, _ = unstructured.NestedString(found.Object, "driver")
		policy, _, _ = unstructured.NestedString(found.Object, "deletionPolicy")
	}
	content := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"deletionPolicy": policy, "driver": driver, "source": map[string]any{"volumeHandle": handle},
		"volumeSnapshotRef": map[string]any{
			"apiVersion": v.Object.GetAPIVersion(), "kind": v.Object.GetKind(),
			"namespace": v.Object.GetNamespace(), "name": v.Object.GetName(), "uid": string(v.Object.GetUID()),
		},
	}}}
	if class != "" {
		_ = unstructured.SetNestedField(content.Object, class, "spec", "volumeSnapshotClassName")
	}
	content.SetGroupVersionKind(contentKind)
	content.SetName(name)
	err := v.Client.Create(ctx, content)
	if err == nil {
		before := content.DeepCopy()
		content.Object["status"] = map[string]any{
			"readyToUse": true, "snapshotHandle": handle, "creationTime": at.UnixNano(), "restoreSize": bytesOf(size),
		}
		err = v.Client.Status().Patch(ctx, content, client.MergeFrom(before))
	}
	if client.IgnoreAlreadyExists(client.IgnoreNotFound(err)) != nil {
		return fmt.Errorf("make the content of the snapshot %s/%s: %w", v.Object.GetNamespace(), v.Object.GetName(), err)
	}
	return nil
}

// seeContent lets a content go with its snapshot, where its policy says so.
func seeContent(ctx context.Context, v *operator.Visit) error {
	namespace, _, _ := unstructured.NestedString(v.Object.Object, "spec", "volumeSnapshotRef", "namespace")
	name, _, _ := unstructured.NestedString(v.Object.Object, "spec", "volumeSnapshotRef", "name")
	uid, _, _ := unstructured.NestedString(v.Object.Object, "spec", "volumeSnapshotRef", "uid")
	of, err := v.Find(ctx, snapshotKind, namespace, name)
	if err != nil || uid == "" || of != nil && string(of.GetUID()) == uid {
		return err
	}
	if policy, _, _ := unstructured.NestedString(v.Object.Object, "spec", "deletionPolicy"); policy != "Delete" {
		return nil
	}
	return client.IgnoreNotFound(v.Client.Delete(ctx, v.Object))
}
