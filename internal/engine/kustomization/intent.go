package kustomization

import (
	"context"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// intend lists what is about to be applied beside what the inventory has, so
// that whatever an apply leaves behind that is cut short, by the end of the
// process or of the connection, is known to be ours and pruned should Git drop
// it before it is applied again. It is written with the next step, or else
// before the first object is.
func (w *walk) intend(ctx context.Context, list []*unstructured.Unstructured) {
	kube, err := w.applyClient(ctx)
	if err != nil {
		return // the apply tells
	}
	w.obj.Status.Inventory = withObjects(w.obj.Status.Inventory, asListed(kube.RESTMapper(), list))
	w.intended = true
}

// asListed names objects as the server does, which knows no namespace of what
// lives in none, whatever a manifest says. What it does not know yet is left
// out.
func asListed(kinds apimeta.RESTMapper, list []*unstructured.Unstructured) []*unstructured.Unstructured {
	scopes := map[schema.GroupVersionKind]apimeta.RESTScopeName{}
	var listed []*unstructured.Unstructured
	for _, obj := range list {
		gvk := obj.GroupVersionKind()
		scope, seen := scopes[gvk]
		if !seen {
			if mapping, err := kinds.RESTMapping(gvk.GroupKind(), gvk.Version); err == nil {
				scope = mapping.Scope.Name()
			}
			scopes[gvk] = scope
		}
		if scope == "" {
			continue
		}
		named := &unstructured.Unstructured{}
		named.SetGroupVersionKind(gvk)
		named.SetName(obj.GetName())
		if scope == apimeta.RESTScopeNameNamespace {
			named.SetNamespace(obj.GetNamespace())
		}
		listed = append(listed, named)
	}
	return listed
}

// beforeWrite tells what was held back, and what is intended and was not told.
func (w *walk) beforeWrite(ctx context.Context) error {
	w.wrote = true
	if err := w.progress.flush(ctx); err != nil || !w.intended {
		return err
	}
	w.intended = false
	return w.save(ctx)
}

// resign takes back what was intended, where nothing of it was written.
func (w *walk) resign() {
	if !w.wrote {
		w.obj.Status.Inventory = w.before
	}
}

// withObjects returns an inventory that lists objects too.
func withObjects(inventory *kustomizev1.ResourceInventory, list []*unstructured.Unstructured) *kustomizev1.ResourceInventory {
	all := &kustomizev1.ResourceInventory{Entries: []kustomizev1.ResourceRef{}}
	listed := map[string]bool{}
	if inventory != nil {
		for _, entry := range inventory.Entries {
			listed[entry.ID] = true
			all.Entries = append(all.Entries, entry)
		}
	}
	var more []*unstructured.Unstructured
	for _, obj := range list {
		if !listed[idOf(obj)] {
			more = append(more, obj)
		}
	}
	addEntries(all, more)
	return all
}
