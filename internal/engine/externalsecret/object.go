package externalsecret

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// errNoOtherKinds is why an object of another kind than Secret is not made.
var errNoOtherKinds = errors.New("spec.target.manifest asks for another kind than Secret, and generic targets are disabled: " +
	"set genericTargets.enabled in the values of External Secrets' chart, knowing that such objects are not encrypted at rest")

const (
	// maxObject bounds an object of another kind, in bytes of JSON.
	maxObject = 1 << 20

	messageObjectMissing = "resource will not be created due to CreationPolicy=Merge"

	// cleanupFinalizer keeps an ExternalSecret until its object is deleted.
	cleanupFinalizer = "externalsecrets.external-secrets.io/externalsecret-cleanup"
)

var objectSynced = outcome{reason: v1.ReasonResourceSynced, message: messageSynced}

// isObject reports whether an ExternalSecret asks for an object of another
// kind than Secret.
func isObject(es *v1.ExternalSecret) bool {
	m := es.Spec.Target.Manifest
	return m != nil && (m.Kind != "Secret" || m.APIVersion != "v1")
}

// objectKind returns the kind that an ExternalSecret asks for.
func objectKind(es *v1.ExternalSecret) schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(es.Spec.Target.Manifest.APIVersion, es.Spec.Target.Manifest.Kind)
}

// emptyObject returns the object that an ExternalSecret asks for, without
// content.
func emptyObject(es *v1.ExternalSecret) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(objectKind(es))
	obj.SetNamespace(es.Namespace)
	obj.SetName(es.TargetName())
	return obj
}

// liveObject returns the object as the server has it, or nil.
func (r *reconciler) liveObject(ctx context.Context, es *v1.ExternalSecret) (*unstructured.Unstructured, error) {
	obj := emptyObject(es)
	err := r.live.Get(ctx, client.ObjectKeyFromObject(obj), obj)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", nameOf(obj), err)
	}
	return obj, nil
}

// objectIntact reports whether an object still is what the last sync left. Of
// a sync of an earlier process only the mark is known.
func (r *reconciler) objectIntact(ctx context.Context, es *v1.ExternalSecret) (bool, error) {
	if es.Spec.Target.CreationPolicy == v1.CreateNone || !v1.IsReady(es.Status.Conditions) {
		return true, nil
	}
	c := v1.GetCondition(es.Status.Conditions, v1.ConditionReady)
	live, err := r.liveObject(ctx, es)
	switch {
	case err != nil:
		return false, err
	case c.Reason == v1.ReasonResourceDeleted || keptWithoutData(c):
		return true, nil
	case live == nil:
		return c.Reason == v1.ReasonResourceMissing, nil
	}
	known := r.memory.about(client.ObjectKeyFromObject(es)).object
	if known == ([sha256.Size]byte{}) {
		return live.GetLabels()[managedLabel] == "true", nil
	}
	return known == objectDigest(live), nil
}

// checkObject finds out whether the object may be made at all.
func (r *reconciler) checkObject(ctx context.Context, es *v1.ExternalSecret) error {
	if r.o.OtherKinds == nil || !r.o.OtherKinds(ctx) {
		return errNoOtherKinds
	}
	kind := objectKind(es)
	mapping, err := r.client.RESTMapper().RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		return fmt.Errorf("the cluster has no kind %s of %s, which spec.target.manifest asks for: is its CRD installed?", kind.Kind, es.Spec.Target.Manifest.APIVersion)
	}
	if err != nil {
		return fmt.Errorf("look up the kind %s, which spec.target.manifest asks for: %w", kind.Kind, err)
	}
	if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return fmt.Errorf("spec.target.manifest asks for a %s, which lives in no namespace: only objects of the ExternalSecret's own can be made", kind.Kind)
	}
	return nil
}

// writeObject brings an object of another kind to what was read.
func (r *reconciler) writeObject(ctx context.Context, es *v1.ExternalSecret, read map[string][]byte) (outcome, error) {
	if len(read) == 0 && es.Spec.Target.DeletionPolicy != v1.DeletionMerge {
		return r.writeNoObject(ctx, es)
	}
	live, err := r.liveObject(ctx, es)
	if err != nil {
		return outcome{}, err
	}
	made := emptyObject(es)
	if es.Spec.Target.CreationPolicy == v1.CreateMerge {
		if live == nil {
			return outcome{reason: v1.ReasonResourceMissing, message: messageObjectMissing}, nil
		}
		made = live.DeepCopy()
	}
	if err := r.renderObject(ctx, es, read, made); err != nil {
		return outcome{}, explained(ctx, es, err)
	}
	if es.Spec.Target.CreationPolicy == v1.CreateNone {
		return objectSynced, nil
	}
	if err := r.keepUntilCleanedUp(ctx, es); err != nil {
		return outcome{}, err
	}
	if err := r.targets.follow(made); err != nil {
		return outcome{}, err
	}
	return r.putObject(ctx, es, live, made)
}

// putObject creates the object, or makes the one that is there like it. What
// others wrote into its metadata, and its status, stay.
func (r *reconciler) putObject(ctx context.Context, es *v1.ExternalSecret, live, made *unstructured.Unstructured) (outcome, error) {
	done, verb := objectSynced, "Updated"
	if live == nil {
		verb = "Created"
		if err := r.client.Create(ctx, made, client.FieldOwner(managerOf(es))); err != nil {
			return outcome{}, refusal("create", made, err)
		}
	} else {
		wanted := made
		made = live.DeepCopy()
		for field := range made.Object {
			if !slices.Contains(notContent, field) {
				delete(made.Object, field)
			}
		}
		for field, value := range wanted.Object {
			if !slices.Contains(notContent, field) {
				made.Object[field] = value
			}
		}
		made.SetLabels(joined(live.GetLabels(), wanted.GetLabels()))
		made.SetAnnotations(joined(live.GetAnnotations(), wanted.GetAnnotations()))
		if equality.Semantic.DeepEqual(live.Object, made.Object) {
			verb = ""
		} else if err := r.client.Update(ctx, made, client.FieldOwner(managerOf(es))); err != nil {
			return outcome{}, refusal("update", made, err)
		}
	}
	r.memory.change(client.ObjectKeyFromObject(es), func(known *recollection) { known.object = objectDigest(made) })
	if verb != "" && (live == nil || live.GetResourceVersion() != made.GetResourceVersion()) {
		done.event, done.told = verb, fmt.Sprintf("%s %s %s", verb, made.GetKind(), made.GetName())
	}
	return done, nil
}

// notContent are the fields of an object that a sync leaves alone.
var notContent = []string{"apiVersion", "kind", "metadata", "status"}

// writeNoObject is what happens to the object when the stores have no value.
func (r *reconciler) writeNoObject(ctx context.Context, es *v1.ExternalSecret) (outcome, error) {
	if es.Spec.Target.DeletionPolicy != v1.DeletionDelete {
		return outcome{reason: v1.ReasonResourceSynced, message: messageRetained}, nil
	}
	if p := es.Spec.Target.CreationPolicy; p != v1.CreateOwner && p != "" {
		return outcome{}, errors.New("deletionPolicy Delete needs creationPolicy Owner: the " + objectKind(es).Kind + " is not deleted")
	}
	done := outcome{reason: v1.ReasonResourceDeleted, message: messageDeleted}
	deleted, err := r.deleteObject(ctx, es)
	if deleted {
		done.event, done.told = "Deleted", fmt.Sprintf("Deleted %s %s", objectKind(es).Kind, es.TargetName())
	}
	return done, err
}

// deleteObject deletes the object if a sync made it.
func (r *reconciler) deleteObject(ctx context.Context, es *v1.ExternalSecret) (bool, error) {
	live, err := r.liveObject(ctx, es)
	if err != nil || live == nil || live.GetLabels()[managedLabel] != "true" {
		return false, err
	}
	uid, version := live.GetUID(), live.GetResourceVersion()
	err = r.client.Delete(ctx, live, client.Preconditions{UID: &uid, ResourceVersion: &version})
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("delete %s: %w", nameOf(live), err)
	}
	return true, nil
}

// keepUntilCleanedUp lets the ExternalSecret stay until its object is deleted,
// where that is to go with it.
func (r *reconciler) keepUntilCleanedUp(ctx context.Context, es *v1.ExternalSecret) error {
	if es.Spec.Target.DeletionPolicy != v1.DeletionDelete || slices.Contains(es.Finalizers, cleanupFinalizer) {
		return nil
	}
	return r.setFinalizers(ctx, es, append(slices.Clone(es.Finalizers), cleanupFinalizer))
}

// cleanUp deletes the object of an ExternalSecret that is being deleted, where
// its policy says so, and lets it go.
func (r *reconciler) cleanUp(ctx context.Context, es *v1.ExternalSecret) error {
	if !slices.Contains(es.Finalizers, cleanupFinalizer) {
		return nil
	}
	if isObject(es) && es.Spec.Target.DeletionPolicy == v1.DeletionDelete {
		if _, err := r.deleteObject(ctx, es); err != nil {
			return err
		}
	}
	return r.setFinalizers(ctx, es, slices.DeleteFunc(slices.Clone(es.Finalizers), func(f string) bool { return f == cleanupFinalizer }))
}

func (r *reconciler) setFinalizers(ctx context.Context, es *v1.ExternalSecret, finalizers []string) error {
	before := es.DeepCopy()
	es.Finalizers = finalizers
	err := r.client.Patch(ctx, es, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), client.FieldOwner(fieldManager))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the finalizers of the ExternalSecret %s/%s: %w", es.Namespace, es.Name, err)
	}
	return nil
}

// objectDigest tells the contents of objects apart, without what the API
// server and status writers put there.
func objectDigest(obj *unstructured.Unstructured) [sha256.Size]byte {
	content := maps.Clone(obj.Object)
	delete(content, "metadata")
	delete(content, "status")
	data, err := json.Marshal([]any{content, obj.GetLabels(), obj.GetAnnotations()})
	if err != nil {
		panic("hashing: " + err.Error()) // it came as JSON
	}
	return sha256.Sum256(data)
}

// nameOf names an object for people.
func nameOf(obj client.Object) string {
	kind := obj.GetObjectKind().GroupVersionKind().Kind
	if _, ok := obj.(*corev1.Secret); ok {
		kind = "Secret"
	}
	return "the " + kind + " " + obj.GetName()
}
