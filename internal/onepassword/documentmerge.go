package onepassword

import (
	"errors"
	"slices"
	"time"

	"hearth/internal/manifest/edit"
)

// Imported is an item that is to stand in a vault of a name; of no name in the
// one that is chosen otherwise.
type Imported struct {
	Vault string
	Item  Item
}

// Merged tells, as item/field, what became of imported fields.
type Merged struct {
	Added, Changed, Same []string
	// Kept are those that had another value already and kept it.
	Kept []string
}

// Merge adds items and fields that are missing. Fields that have another value
// keep it, unless replace says otherwise. Vaults that are missing are added.
func (d *Document) Merge(items []Imported, replace bool) (Merged, error) {
	m := merge{d: d, replace: replace, added: map[string][]fileItem{}, count: occurrences{}, touched: map[string]bool{}}
	for _, in := range items {
		if err := m.item(in); err != nil {
			return m.merged, err
		}
	}
	if err := d.applyChanges(m.changes); err != nil {
		return m.merged, err
	}
	for _, id := range m.order {
		_, path, err := d.vaultPath(id)
		if err != nil {
			return m.merged, err
		}
		if err := d.apply(edit.Insert("", 0, append(path, "items"), blockItems(m.added[id]))); err != nil {
			return m.merged, err
		}
	}
	return m.merged, nil
}

// merge collects what becomes of a document, so that it is changed once and
// not once an item.
type merge struct {
	d       *Document
	replace bool
	merged  Merged
	changes []itemChange          // of items that are there
	touched map[string]bool       // by them, by id
	added   map[string][]fileItem // items that are not, by the id of their vault
	order   []string              // of those vaults
	count   occurrences
}

func (m *merge) item(in Imported) error {
	v, err := m.d.vaultToMerge(in.Vault)
	if err != nil {
		return err
	}
	old, ok, err := inVault(v, in.Item.Title)
	switch {
	case err != nil:
		return err
	case ok && m.touched[old.ID]: // it is imported twice
		if err := m.d.applyChanges(m.changes); err != nil {
			return err
		}
		m.changes, m.touched = nil, map[string]bool{}
		return m.item(in)
	case ok:
		return m.change(v, old, in.Item)
	}
	item := in.Item
	item.VaultID = v.ID
	item.ID = MakeID("item", v.ID, item.Title, m.count.next(v.ID+"/"+item.Title))
	item.Version, item.Created, item.Updated = 0, time.Time{}, time.Time{}
	if m.added[v.ID] == nil {
		m.order = append(m.order, v.ID)
	}
	m.added[v.ID] = append(m.added[v.ID], fileItemOf(item))
	m.merged.Added = append(m.merged.Added, names(item)...)
	return nil
}

// change merges an item into the one that is there.
func (m *merge) change(v Vault, old, item Item) error {
	changed := old
	changed.Fields = slices.Clone(old.Fields)
	for _, f := range item.Fields {
		name := old.Title + "/" + f.Label
		i, err := old.index(f.Label, f.Section)
		switch {
		case err != nil:
			return err
		case i < 0:
			f.ID = MakeID("field", f.Section, f.Label, "0")
			changed.Fields = append(changed.Fields, f)
			m.merged.Added = append(m.merged.Added, name)
		case old.Fields[i].Value.Equal(f.Value):
			m.merged.Same = append(m.merged.Same, name)
		case m.replace:
			changed.Fields[i].Value = f.Value
			m.merged.Changed = append(m.merged.Changed, name)
		default:
			m.merged.Kept = append(m.merged.Kept, name)
		}
	}
	edits, err := m.d.itemEdits(v.ID, changed)
	if err != nil {
		return err
	}
	_, path, err := m.d.itemPath(v.ID, old.ID)
	if err != nil {
		return err
	}
	m.touched[old.ID] = true
	if len(edits) > 0 {
		m.changes = append(m.changes, itemChange{path, edits, changed})
	}
	return nil
}

func (d *Document) vaultToMerge(name string) (Vault, error) {
	v, err := d.content.Vault(name)
	if err == nil || name == "" {
		return v, err
	}
	if err := d.AddVault(name); err != nil {
		return v, err
	}
	return d.content.Vault(name)
}

// inVault returns the item of a title, if the vault has one.
func inVault(v Vault, title string) (Item, bool, error) {
	_, item, err := Content{Vaults: []Vault{v}}.Find("", title)
	var none *NoItemError
	if errors.As(err, &none) {
		return item, false, nil
	}
	return item, err == nil, err
}

// names returns what an item is reported as: each of its fields, or itself.
func names(item Item) []string {
	if len(item.Fields) == 0 {
		return []string{item.Title}
	}
	var names []string
	for _, f := range item.Fields {
		names = append(names, item.Title+"/"+f.Label)
	}
	return names
}
