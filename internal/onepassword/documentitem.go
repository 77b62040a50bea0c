package onepassword

import (
	"slices"
	"strconv"
	"time"

	"hearth/internal/manifest/edit"
)

// PutItem writes an item into a vault: over the one of the same id, of which
// all that is the same stays as it is written, or behind the others. Files are
// left as they are; see PutFile.
func (d *Document) PutItem(vaultID string, item Item) error {
	edits, err := d.itemEdits(vaultID, item)
	if err != nil {
		return err
	}
	return d.apply(edits...)
}

func (d *Document) itemEdits(vaultID string, item Item) ([]edit.Edit, error) {
	v, path, err := d.vaultPath(vaultID)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(v.Items, func(old Item) bool { return old.ID == item.ID })
	if i < 0 {
		return []edit.Edit{edit.Insert("", 0, append(path, "items"), listItem(fileItemOf(item)))}, nil
	}
	return changes(append(path, "items", strconv.Itoa(i)), v.Items[i], item), nil
}

// PutFile attaches a file to an item, in the place of one of the same name.
func (d *Document) PutFile(vaultID, itemID string, f File) error {
	item, path, err := d.itemPath(vaultID, itemID)
	if err != nil {
		return err
	}
	var edits []edit.Edit
	if i := slices.IndexFunc(item.Files, func(old File) bool { return old.Name == f.Name }); i >= 0 {
		edits = append(edits, edit.Remove("", 0, append(path, "files", strconv.Itoa(i))))
	}
	return d.apply(append(edits, edit.Insert("", 0, append(path, "files"), listItem(fileAttachmentOf(f))))...)
}

// RemoveFile takes a file off an item, if it has one of the name.
func (d *Document) RemoveFile(vaultID, itemID, name string) error {
	item, path, err := d.itemPath(vaultID, itemID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(item.Files, func(old File) bool { return old.Name == name })
	if i < 0 {
		return &NoFileError{item.Title, name}
	}
	return d.apply(edit.Remove("", 0, append(path, "files", strconv.Itoa(i))))
}

// RemoveItem takes an item out of a vault.
func (d *Document) RemoveItem(vaultID, itemID string) error {
	_, path, err := d.itemPath(vaultID, itemID)
	if err != nil {
		return err
	}
	return d.apply(edit.Remove("", 0, path))
}

// vaultPath returns a vault and the path to it.
func (d *Document) vaultPath(vaultID string) (Vault, []string, error) {
	i := slices.IndexFunc(d.content.Vaults, func(v Vault) bool { return v.ID == vaultID })
	if i < 0 {
		return Vault{}, nil, &FileError{File: d.path, Problem: "has no such vault"}
	}
	return d.content.Vaults[i], slices.Clip([]string{"vaults", strconv.Itoa(i)}), nil
}

func (d *Document) itemPath(vaultID, itemID string) (Item, []string, error) {
	v, path, err := d.vaultPath(vaultID)
	if err != nil {
		return Item{}, nil, err
	}
	i := slices.IndexFunc(v.Items, func(item Item) bool { return item.ID == itemID })
	if i < 0 {
		return Item{}, nil, &FileError{File: d.path, Problem: "has no such item"}
	}
	return v.Items[i], slices.Clip(append(path, "items", strconv.Itoa(i))), nil
}

// changes returns the edits that make one item of another.
func changes(path []string, old, item Item) []edit.Edit {
	path = slices.Clip(path)
	c := changer{path: path}
	// What derives an id from a name must write it down before the name changes.
	c.text("id", old.ID, item.ID, old.Title != item.Title)
	c.text("title", old.Title, item.Title, false)
	c.text("category", old.Category, item.Category, false)
	if old.Favorite != item.Favorite {
		c.edits = append(c.edits, edit.Set("", 0, append(path, "favorite"), item.Favorite))
	}
	if old.Version != item.Version {
		c.edits = append(c.edits, edit.Set("", 0, append(path, "version"), item.Version))
	}
	c.time("created", old.Created, item.Created)
	c.time("updated", old.Updated, item.Updated)
	c.list("tags", len(old.Tags) > 0, slices.Equal(old.Tags, item.Tags), blockItems(item.Tags))
	c.list("urls", len(old.URLs) > 0, slices.Equal(old.URLs, item.URLs), blockItems(fileURLsOf(item.URLs)))
	c.fields(old.Fields, item.Fields)
	return c.edits
}

// changer collects the edits of the node at a path.
type changer struct {
	path  []string
	edits []edit.Edit
}

func (c *changer) text(key, old, text string, always bool) {
	if old != text || always {
		c.edits = append(c.edits, edit.Set("", 0, append(c.path, key), text))
	}
}

func (c *changer) time(key string, old, at time.Time) {
	if !old.Equal(at) {
		c.text(key, "", at.UTC().Format(time.RFC3339), true)
	}
}

func (c *changer) list(key string, existed, same bool, items string) {
	if same {
		return
	}
	if existed {
		c.edits = append(c.edits, edit.Remove("", 0, append(c.path, key)))
	}
	if items != "" {
		c.edits = append(c.edits, edit.Insert("", 0, append(c.path, key), items))
	}
}

// fields matches fields by their id.
func (c *changer) fields(old, fields []Field) {
	var added []fileField
	for _, f := range fields {
		i := slices.IndexFunc(old, func(o Field) bool { return o.ID == f.ID })
		if i < 0 {
			added = append(added, fileFieldOf(f))
			continue
		}
		o := old[i]
		at := changer{path: slices.Clip(append(c.path, "fields", strconv.Itoa(i)))}
		at.text("id", o.ID, f.ID, o.Label != f.Label || o.Section != f.Section)
		at.text("label", o.Label, f.Label, false)
		at.text("value", o.Value.Reveal(), f.Value.Reveal(), false)
		at.text("section", o.Section, f.Section, false)
		at.text("type", o.Type, f.Type, false)
		at.text("purpose", o.Purpose, f.Purpose, false)
		c.edits = append(c.edits, at.edits...)
	}
	// From the end, so that the places of the others stay what they are.
	for i := len(old) - 1; i >= 0; i-- {
		if !slices.ContainsFunc(fields, func(f Field) bool { return f.ID == old[i].ID }) {
			c.edits = append(c.edits, edit.Remove("", 0, append(c.path, "fields", strconv.Itoa(i))))
		}
	}
	if len(added) > 0 {
		c.edits = append(c.edits, edit.Insert("", 0, append(c.path, "fields"), blockItems(added)))
	}
}
