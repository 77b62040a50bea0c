package observe

import (
	"cmp"
	"context"

	"github.com/fluxcd/cli-utils/pkg/object"
	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/kube/objects"
)

// elsewhere is said of what acts on another cluster.
const elsewhere = "what it brought is on the cluster of spec.kubeConfig"

// brought lists what an object answers for; note says why it cannot be told.
func (t *tree) brought(ctx context.Context, obj *unstructured.Unstructured) (keys []objects.Key, note string, err error) {
	if _, remote, _ := unstructured.NestedFieldNoCopy(obj.Object, "spec", "kubeConfig"); remote && follower(objects.KeyOf(obj)) {
		return nil, elsewhere, nil
	}
	keys = inventory(obj)
	switch obj.GroupVersionKind().GroupKind() {
	case helmReleaseKind.GroupKind():
		if len(keys) == 0 {
			keys, note, err = t.released(ctx, obj)
		}
	case externalSecretKind.GroupKind():
		if e, ok := typed[esv1.ExternalSecret](obj); ok && e.Spec.Target.CreationPolicy != esv1.CreateNone {
			ref := secretOf(e)
			keys = append(keys, objects.Key{GroupVersionKind: secretKind, NamespacedName: types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}})
		}
	}
	if err != nil || t.options.Compact {
		return keys, note, err
	}
	controlled, err := t.controlled(ctx, obj)
	return append(keys, controlled...), note, err
}

// inventory reads what Kustomizations, releases and ResourceSets note of what
// they applied. An object that lists itself is left out.
func inventory(obj *unstructured.Unstructured) []objects.Key {
	entries, _, _ := unstructured.NestedSlice(obj.Object, "status", "inventory", "entries")
	var keys []objects.Key
	for _, entry := range entries {
		fields, _ := entry.(map[string]any)
		id, _ := fields["id"].(string)
		version, _ := fields["v"].(string)
		o, err := object.ParseObjMetadata(id)
		if err != nil {
			continue // not of an inventory
		}
		key := objects.Key{
			GroupVersionKind: schema.GroupVersionKind{Group: o.GroupKind.Group, Version: version, Kind: o.GroupKind.Kind},
			NamespacedName:   types.NamespacedName{Namespace: o.Namespace, Name: o.Name},
		}
		if self := objects.KeyOf(obj); self.GroupKind() != key.GroupKind() || self.NamespacedName != key.NamespacedName {
			keys = append(keys, key)
		}
	}
	return keys
}

// released reads which objects belong to a release, from Helm's own record.
func (t *tree) released(ctx context.Context, obj *unstructured.Unstructured) (keys []objects.Key, note string, err error) {
	h, ok := typed[helmv2.HelmRelease](obj)
	if !ok {
		return nil, "", nil
	}
	latest := latestRelease(h)
	if latest == nil {
		return nil, "", nil
	}
	var secret corev1.Secret
	key := types.NamespacedName{Namespace: cmp.Or(h.Status.StorageNamespace, h.GetStorageNamespace()), Name: recordName(latest.Name, latest.Version)}
	switch err := t.client.Get(ctx, key, &secret); {
	case apierrors.IsNotFound(err):
		return nil, "Helm's record of the release does not exist", nil
	case apierrors.IsForbidden(err):
		return nil, "Helm's record of the release may not be read", nil
	case err != nil:
		return nil, "", err
	}
	listed, err := recorded(secret.Data["release"])
	if err != nil {
		return nil, "Helm's record of the release cannot be read", nil
	}
	for _, key := range listed {
		if key.Namespace == "" && t.namespaced(key.GroupVersionKind) {
			key.Namespace = latest.Namespace
		}
		keys = append(keys, key)
	}
	return keys, "", nil
}

// namespaced reports whether objects of a kind live in namespaces; those of a
// kind that is not served are taken to.
func (t *tree) namespaced(gvk schema.GroupVersionKind) bool {
	mapping, err := t.client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	return err != nil || mapping.Scope.Name() == "namespace"
}
