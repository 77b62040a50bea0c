package kustomization

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/object"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	generator "github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/render/kustomize"
)

// heirs finds who takes over what a Kustomization is about to delete. When a
// Kustomization is renamed, or an object moves from one to another, the new
// owner only has to apply the object, and the old one lets it be. Where the old
// one comes first, Flux deletes what the new one makes anew a moment later,
// with all data gone. So the old one waits for those that are to apply the
// object and have yet to.
func (w *walk) heirs(ctx context.Context, list []*unstructured.Unstructured) (map[object.ObjMetadata]types.NamespacedName, error) {
	var all kustomizev1.KustomizationList
	if err := w.client.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil { // they are only read
		return nil, err
	}
	found := map[object.ObjMetadata]types.NamespacedName{}
	for i := range all.Items {
		other := w.memory.written.Latest(&all.Items[i])
		name := client.ObjectKeyFromObject(other)
		if name == w.key || !other.DeletionTimestamp.IsZero() || other.Spec.Suspend || !sameTarget(w.obj, other) {
			continue
		}
		claims := w.claimsOf(ctx, name, other)
		for _, obj := range list {
			id := object.UnstructuredToObjMetadata(obj)
			if _, taken := found[id]; !taken && claims.has(id) {
				found[id] = name
			}
		}
	}
	return found, nil
}

// sameTarget reports whether two Kustomizations apply to the same cluster.
func sameTarget(a, b *kustomizev1.Kustomization) bool {
	if a.Spec.KubeConfig == nil || b.Spec.KubeConfig == nil {
		return a.Spec.KubeConfig == nil && b.Spec.KubeConfig == nil
	}
	return true // two names of one cluster, for all that is known
}

// claims are the objects that a Kustomization has applied or is to apply.
type claims struct {
	stamp stamp
	// all is set where the objects cannot be told, and may be any.
	all bool
	ids map[object.ObjMetadata]bool
}

func (c *claims) has(id object.ObjMetadata) bool {
	if c == nil {
		return false
	}
	if c.all || c.ids[id] {
		return true
	}
	if id.Namespace != "" {
		return false
	}
	// Manifests often give a namespace to what lives in none.
	for other := range c.ids {
		if other.Name == id.Name && other.GroupKind == id.GroupKind {
			return true
		}
	}
	return false
}

// claimsOf returns what a Kustomization applies at its source's revision: by
// its inventory where it has done so, else by a build. It is nil where its
// source has nothing yet: nobody knows what it would apply then.
func (w *walk) claimsOf(ctx context.Context, name types.NamespacedName, obj *kustomizev1.Kustomization) *claims {
	other := &walk{reconciler: w.reconciler, key: name, obj: obj, saved: obj, start: time.Now()}
	if err := other.findSource(ctx); err != nil {
		return nil
	}
	if obj.Status.LastAppliedRevision == other.revision && obj.Status.ObservedGeneration == obj.Generation {
		return &claims{ids: inventoryIDs(obj.Status.Inventory)}
	}
	if known := w.memory.claims(name); known != nil && known.stamp == other.stamp {
		return known
	}
	c := &claims{stamp: other.stamp}
	ids, err := other.wouldApply(ctx)
	// What cannot be built now may be in a moment. The same folder of the same
	// source, under another name, is a rename.
	c.all = err != nil && sameFolder(w.obj, obj)
	c.ids = ids
	if err == nil {
		w.memory.setClaims(name, c)
	}
	return c
}

func inventoryIDs(inventory *kustomizev1.ResourceInventory) map[object.ObjMetadata]bool {
	ids := map[object.ObjMetadata]bool{}
	if inventory == nil {
		return ids
	}
	for _, entry := range inventory.Entries {
		if id, err := object.ParseObjMetadata(entry.ID); err == nil {
			ids[id] = true
		}
	}
	return ids
}

func sameFolder(a, b *kustomizev1.Kustomization) bool {
	clean := func(path string) string { return strings.Trim(strings.TrimPrefix(path, "."), "/") }
	return sourceName(a) == sourceName(b) && clean(a.Spec.Path) == clean(b.Spec.Path)
}

// wouldApply builds a Kustomization to learn what it is going to apply.
func (w *walk) wouldApply(ctx context.Context) (map[object.ObjMetadata]bool, error) {
	root, failed := w.fetch(ctx)
	if failed != nil {
		return nil, failed
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(w.obj)
	if err != nil {
		return nil, err
	}
	self := &unstructured.Unstructured{Object: content}
	vars, err := generator.LoadVariables(ctx, w.client, *self)
	if err != nil {
		return nil, err
	}
	built, err := kustomize.Build(ctx, kustomize.Request{
		Root: root, Path: w.obj.Spec.Path, Kustomization: self, Variables: vars, Offline: true,
		Always: w.obj.GetSubstituteStrategy() == kustomizev1.SubstituteStrategyAlways,
	})
	if err != nil {
		return nil, err
	}
	ids := map[object.ObjMetadata]bool{}
	for _, obj := range built.Objects {
		ids[object.UnstructuredToObjMetadata(obj)] = true
	}
	return ids, nil
}

// names lists who is waited for, once each.
func names(heirs map[object.ObjMetadata]types.NamespacedName) []types.NamespacedName {
	var list []types.NamespacedName
	for _, name := range heirs {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	slices.SortFunc(list, func(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) })
	return list
}
