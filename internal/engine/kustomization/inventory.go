package kustomization

import (
	"fmt"
	"sort"

	"github.com/fluxcd/cli-utils/pkg/object"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/ssa"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// inventoryOf lists what an apply covered.
func inventoryOf(changes *ssa.ChangeSet) *kustomizev1.ResourceInventory {
	inventory := &kustomizev1.ResourceInventory{Entries: []kustomizev1.ResourceRef{}}
	for _, change := range changes.Entries {
		inventory.Entries = append(inventory.Entries, kustomizev1.ResourceRef{ID: change.ObjMetadata.String(), Version: change.GroupVersion})
	}
	// The order of stages is not that of the objects; a stable one writes nothing new.
	sort.SliceStable(inventory.Entries, func(i, j int) bool { return inventory.Entries[i].ID < inventory.Entries[j].ID })
	return inventory
}

// inventoryObjects returns the objects that an inventory lists and without
// does not.
func inventoryObjects(inventory, without *kustomizev1.ResourceInventory) ([]*unstructured.Unstructured, error) {
	if inventory == nil {
		return nil, nil
	}
	kept := map[string]bool{}
	if without != nil {
		for _, entry := range without.Entries {
			kept[entry.ID] = true
		}
	}
	var list []*unstructured.Unstructured
	for _, entry := range inventory.Entries {
		if kept[entry.ID] {
			continue
		}
		id, err := object.ParseObjMetadata(entry.ID)
		if err != nil {
			return nil, fmt.Errorf("read the inventory: %w", err)
		}
		obj := &unstructured.Unstructured{}
		obj.SetGroupVersionKind(id.GroupKind.WithVersion(entry.Version))
		obj.SetNamespace(id.Namespace)
		obj.SetName(id.Name)
		list = append(list, obj)
	}
	sort.Sort(ssa.SortableUnstructureds(list))
	return list, nil
}

// addEntries lists objects again that could not be removed.
func addEntries(inventory *kustomizev1.ResourceInventory, list []*unstructured.Unstructured) {
	for _, obj := range list {
		inventory.Entries = append(inventory.Entries, kustomizev1.ResourceRef{
			ID:      idOf(obj),
			Version: obj.GroupVersionKind().Version,
		})
	}
}

// idOf names an object as inventories do.
func idOf(obj *unstructured.Unstructured) string {
	return object.UnstructuredToObjMetadata(obj).String()
}
