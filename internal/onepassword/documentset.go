package onepassword

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// SetField gives a field of an item its value; vault may be empty where only
// one can be meant. An item or field that is missing is added. What f leaves
// empty of section and type stays as it is.
func (d *Document) SetField(vault, title string, f Field) error {
	if !utf8.ValidString(f.Value.Reveal()) {
		return errors.New("the value is no text (UTF-8): attach it as a file")
	}
	v, item, err := d.itemToChange(vault, title)
	if err != nil {
		return err
	}
	i, err := item.index(f.Label, f.Section)
	if err != nil {
		return err
	}
	if i < 0 {
		if f.Type == "" {
			f.Type = "CONCEALED"
		}
		f.ID = MakeID("field", f.Section, f.Label, "0")
		f.Purpose = purposes[f.Label]
		item.Fields = append(item.Fields, f)
	} else {
		if f.Type != "" {
			item.Fields[i].Type = f.Type
		}
		item.Fields[i].Value = f.Value
	}
	return d.PutItem(v.ID, item)
}

// AttachFile attaches a file to an item, in the place of one of its name. An
// item that is missing is added.
func (d *Document) AttachFile(vault, title string, f File) error {
	v, item, err := d.itemToChange(vault, title)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(v.Items, func(i Item) bool { return i.ID == item.ID }) {
		item.Category, item.Files = CategoryDocument, []File{f}
		return d.PutItem(v.ID, item)
	}
	return d.PutFile(v.ID, item.ID, f)
}

// itemToChange returns an item, or a new one where the vault has none of the title.
func (d *Document) itemToChange(vault, title string) (Vault, Item, error) {
	v, item, err := d.content.Find(vault, title)
	var none *NoItemError
	if !errors.As(err, &none) {
		item.Fields = slices.Clone(item.Fields)
		return v, item, err
	}
	v, err = d.content.Vault(vault)
	return v, Item{ID: MakeID("item", v.ID, title, "0"), Title: title, VaultID: v.ID, Category: "LOGIN"}, err
}

// RemoveField takes a field off an item.
func (d *Document) RemoveField(vault, title, label, section string) error {
	v, item, err := d.content.Find(vault, title)
	if err != nil {
		return err
	}
	i, err := item.index(label, section)
	if err != nil {
		return err
	}
	if i < 0 {
		return &NoFieldError{Items: []string{title}, Field: label}
	}
	item.Fields = slices.Delete(slices.Clone(item.Fields), i, i+1)
	return d.PutItem(v.ID, item)
}

// index returns where the only field of a label stands, in a section or, of
// no name, in any; -1 is nowhere.
func (i *Item) index(label, section string) (int, error) {
	at := -1
	for n, f := range i.Fields {
		if f.Label != label || section != "" && f.Section != section {
			continue
		}
		if at >= 0 {
			return 0, &AmbiguousError{2, fmt.Sprintf("or more fields %q in the item %q", label, i.Title), "name the section"}
		}
		at = n
	}
	return at, nil
}
