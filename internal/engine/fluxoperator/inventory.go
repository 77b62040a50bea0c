package fluxoperator

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/fluxcd/cli-utils/pkg/object"
	"github.com/fluxcd/pkg/ssa"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
)

// Inventory lists what an apply covered, in a stable order.
func Inventory(changes *ssa.ChangeSet) *fluxcdv1.ResourceInventory {
	list := &fluxcdv1.ResourceInventory{Entries: []fluxcdv1.ResourceRef{}}
	for _, change := range changes.Entries {
		list.Entries = append(list.Entries, fluxcdv1.ResourceRef{ID: change.ObjMetadata.String(), Version: change.GroupVersion})
	}
	sortEntries(list)
	return list
}

func sortEntries(list *fluxcdv1.ResourceInventory) {
	slices.SortFunc(list.Entries, func(a, b fluxcdv1.ResourceRef) int { return cmp.Compare(a.ID, b.ID) })
}

// Union lists what either inventory does; an entry of the second wins.
func Union(a, b *fluxcdv1.ResourceInventory) *fluxcdv1.ResourceInventory {
	all := &fluxcdv1.ResourceInventory{Entries: []fluxcdv1.ResourceRef{}}
	seen := map[string]bool{}
	for _, list := range []*fluxcdv1.ResourceInventory{b, a} {
		if list == nil {
			continue
		}
		for _, entry := range list.Entries {
			if !seen[entry.ID] {
				seen[entry.ID] = true
				all.Entries = append(all.Entries, entry)
			}
		}
	}
	sortEntries(all)
	return all
}

// Listed returns the objects that an inventory lists and the other does not.
func Listed(list, without *fluxcdv1.ResourceInventory) ([]*unstructured.Unstructured, error) {
	if list == nil {
		return nil, nil
	}
	kept := map[string]bool{}
	if without != nil {
		for _, entry := range without.Entries {
			kept[entry.ID] = true
		}
	}
	var all []*unstructured.Unstructured
	for _, entry := range list.Entries {
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
		all = append(all, obj)
	}
	sort.Sort(ssa.SortableUnstructureds(all))
	return all, nil
}

// idOf names an object as inventories do.
func idOf(obj *unstructured.Unstructured) string {
	return object.UnstructuredToObjMetadata(obj).String()
}
