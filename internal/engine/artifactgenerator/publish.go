package artifactgenerator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	generator "github.com/fluxcd/source-watcher/api/v2/v1beta1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"hearth/internal/source/compose"
)

// managedBy labels what a controller makes.
const managedBy = "app.kubernetes.io/managed-by"

// publish writes the ExternalArtifacts, and deletes those that are no longer
// asked for.
func (a *attempt) publish(ctx context.Context, outputs []compose.Output, made []*meta.Artifact) ([]generator.ExternalArtifactReference, error) {
	var inventory []generator.ExternalArtifactReference
	for i := range outputs {
		if err := a.apply(ctx, &outputs[i], made[i]); err != nil {
			return nil, &failure{reason: meta.ReconciliationFailedReason, err: fmt.Errorf("%s reconcile failed: %w", outputs[i].Name, err)}
		}
		inventory = append(inventory, generator.ExternalArtifactReference{
			Name: outputs[i].Name, Namespace: a.obj.Namespace, Digest: made[i].Digest, Filename: path.Base(made[i].Path),
		})
	}
	orphans := slices.DeleteFunc(slices.Clone(a.obj.Status.Inventory), func(old generator.ExternalArtifactReference) bool {
		return slices.ContainsFunc(inventory, func(now generator.ExternalArtifactReference) bool {
			return now.Name == old.Name && now.Namespace == old.Namespace
		})
	})
	if err := a.prune(ctx, a.obj, orphans); err != nil {
		return nil, &failure{reason: meta.ReconciliationFailedReason, err: err}
	}
	return inventory, nil
}

// apply writes one ExternalArtifact, and then its status.
func (a *attempt) apply(ctx context.Context, output *compose.Output, artifact *meta.Artifact) error {
	labels, annotations := map[string]string{managedBy: fieldManager}, map[string]string{}
	maps.Copy(labels, output.Labels)
	if common := a.obj.Spec.CommonMetadata; common != nil {
		maps.Copy(labels, common.Labels)
		maps.Copy(annotations, common.Annotations)
	}
	// By this one the artifacts of a generator are found again.
	labels[generator.ArtifactGeneratorLabel] = string(a.obj.UID)
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(sourcev1.GroupVersion.WithKind(sourcev1.ExternalArtifactKind))
	u.SetNamespace(a.obj.Namespace)
	u.SetName(output.Name)
	u.SetLabels(labels)
	u.SetAnnotations(annotations)
	u.Object["spec"] = map[string]any{"sourceRef": map[string]any{
		"apiVersion": generator.GroupVersion.String(), "kind": generator.ArtifactGeneratorKind, "name": a.obj.Name, "namespace": a.obj.Namespace,
	}}
	if err := a.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(fieldManager), client.ForceOwnership); err != nil {
		return fmt.Errorf("failed to apply ExternalArtifact: %w", err)
	}
	made := &sourcev1.ExternalArtifact{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, made); err != nil {
		return fmt.Errorf("failed to read ExternalArtifact: %w", err)
	}
	if err := a.applyStatus(ctx, made, artifact); err != nil {
		return fmt.Errorf("failed to patch ExternalArtifact status: %w", err)
	}
	return nil
}

// applyStatus writes which artifact there is, unless the status says so.
func (a *attempt) applyStatus(ctx context.Context, obj *sourcev1.ExternalArtifact, artifact *meta.Artifact) error {
	before := obj.DeepCopy()
	if is := obj.Status.Artifact; sameArtifact(is, artifact) && maps.Equal(is.Metadata, artifact.Metadata) {
		artifact = is
	}
	obj.Status.Artifact = artifact
	conditions.MarkTrue(obj, meta.ReadyCondition, meta.SucceededReason, "Artifact is ready")
	patch := client.MergeFrom(before)
	if data, err := patch.Data(obj); err != nil || string(data) == "{}" {
		return err
	}
	return a.client.Status().Patch(ctx, obj, patch, client.FieldOwner(fieldManager))
}

// prune deletes ExternalArtifacts that a generator made.
func (r *reconciler) prune(ctx context.Context, obj *generator.ArtifactGenerator, made []generator.ExternalArtifactReference) error {
	var failed error
	for _, entry := range made {
		failed = errors.Join(failed, r.remove(ctx, obj, client.ObjectKey{Namespace: entry.Namespace, Name: entry.Name}))
	}
	return failed
}

// remove deletes one, if it is still the generator's own.
func (r *reconciler) remove(ctx context.Context, obj *generator.ArtifactGenerator, key client.ObjectKey) error {
	made := &sourcev1.ExternalArtifact{}
	if err := r.live.Get(ctx, key, made); err != nil {
		return client.IgnoreNotFound(err)
	}
	if made.Labels[generator.ArtifactGeneratorLabel] != string(obj.UID) {
		return nil
	}
	if err := r.client.Delete(ctx, made, client.Preconditions{UID: &made.UID}); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting ExternalArtifact %s: %w", key, err)
	}
	r.o.Store.Release(refOf(key))
	return nil
}

// finalize deletes what a generator made, and lets it go.
func (r *reconciler) finalize(ctx context.Context, obj *generator.ArtifactGenerator) error {
	if err := r.prune(ctx, obj, obj.Status.Inventory); err != nil {
		return err
	}
	before := obj.DeepCopy()
	if !controllerutil.RemoveFinalizer(obj, generator.Finalizer) {
		return nil
	}
	err := r.client.Patch(ctx, obj, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), client.FieldOwner(fieldManager))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("removing the finalizer of ArtifactGenerator %s/%s: %w", obj.Namespace, obj.Name, err)
	}
	return nil
}
