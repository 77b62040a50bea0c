package onepassword

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

func (r *reader) vault(names occurrences, n *yaml.Node) (Vault, error) {
	var v Vault
	var items *yaml.Node
	err := r.mapping(n, "a vault has name, id, items", map[string]entry{
		"name": r.text(&v.Name), "id": r.text(&v.ID),
		"items": func(n *yaml.Node) error { items = n; return nil },
	})
	switch {
	case err != nil:
		return v, err
	case v.Name == "":
		return v, r.fault(n, "a vault needs a name")
	case v.ID == "":
		v.ID = MakeID("vault", v.Name, names.next(v.Name))
	case !IsID(v.ID):
		return v, r.fault(n, "the vault's id is not 26 lower-case letters and digits")
	}
	if r.ids[v.ID] {
		return v, r.fault(n, "another vault has the same id")
	}
	r.ids[v.ID] = true
	if items == nil {
		return v, nil
	}
	titles := occurrences{}
	return v, r.each(items, func(n *yaml.Node) error {
		item, err := r.item(v.ID, titles, n)
		v.Items = append(v.Items, item)
		return err
	})
}

func (r *reader) item(vaultID string, titles occurrences, n *yaml.Node) (Item, error) {
	item := Item{VaultID: vaultID, Category: "LOGIN"}
	labels := occurrences{}
	err := r.mapping(n, "an item has title, id, category, tags, urls, favorite, version, created, updated, fields, files", map[string]entry{
		"title": r.text(&item.Title), "id": r.text(&item.ID), "category": r.text(&item.Category),
		"tags": r.texts(&item.Tags), "favorite": r.value(&item.Favorite, "true or false"), "version": r.value(&item.Version, "a number"),
		"created": r.value(&item.Created, "a time"), "updated": r.value(&item.Updated, "a time"),
		"urls": func(n *yaml.Node) error {
			return r.each(n, func(n *yaml.Node) error {
				u, err := r.url(n)
				item.URLs = append(item.URLs, u)
				return err
			})
		},
		"fields": func(n *yaml.Node) error {
			return r.each(n, func(n *yaml.Node) error {
				f, err := r.field(labels, n)
				item.Fields = append(item.Fields, f)
				return err
			})
		},
		"files": func(n *yaml.Node) error {
			return r.each(n, func(n *yaml.Node) error {
				f, err := r.attachment(n)
				item.Files = append(item.Files, f)
				return err
			})
		},
	})
	r.items++
	switch {
	case err != nil:
		return item, err
	case item.Title == "":
		return item, r.fault(n, "an item needs a title")
	case r.items > maxItems:
		return item, r.fault(n, fmt.Sprintf("there are more than %d items", maxItems))
	case len(item.Fields) > maxFields || len(item.Files) > maxFields:
		return item, r.fault(n, fmt.Sprintf("the item has more than %d fields or files", maxFields))
	case item.ID == "":
		item.ID = MakeID("item", vaultID, item.Title, titles.next(item.Title))
	case !IsID(item.ID):
		return item, r.fault(n, "the item's id is not 26 lower-case letters and digits")
	}
	if r.ids[item.ID] {
		return item, r.fault(n, "another item has the same id")
	}
	r.ids[item.ID] = true
	for i := range item.Files {
		f := &item.Files[i]
		if f.ID == "" {
			f.ID = MakeID("file", item.ID, f.Name, strconv.Itoa(i))
		}
	}
	return item, nil
}

func (r *reader) field(labels occurrences, n *yaml.Node) (Field, error) {
	f := Field{Type: "CONCEALED"}
	err := r.mapping(n, "a field has label, value, id, section, type, purpose", map[string]entry{
		"label": r.text(&f.Label), "value": r.secret(&f.Value), "id": r.text(&f.ID),
		"section": r.text(&f.Section), "type": r.text(&f.Type), "purpose": r.text(&f.Purpose),
	})
	if err == nil && f.Label == "" {
		err = r.fault(n, "a field needs a label")
	}
	if f.ID == "" {
		f.ID = MakeID("field", f.Section, f.Label, labels.next(f.Section+"\x00"+f.Label))
	}
	if f.Purpose == "" {
		f.Purpose = purposes[f.Label]
	}
	return f, err
}

// url reads one that is a text by itself, or has a label.
func (r *reader) url(n *yaml.Node) (URL, error) {
	var u URL
	if n.Kind == yaml.ScalarNode {
		return u, r.text(&u.Href)(n)
	}
	return u, r.mapping(n, "a url has href, label, primary", map[string]entry{
		"href": r.text(&u.Href), "label": r.text(&u.Label), "primary": r.value(&u.Primary, "true or false"),
	})
}

func (r *reader) attachment(n *yaml.Node) (File, error) {
	var f File
	var encoded string
	err := r.mapping(n, "a file has name, content or base64, id, section", map[string]entry{
		"name": r.text(&f.Name), "content": r.secret(&f.Content), "base64": r.text(&encoded),
		"id": r.text(&f.ID), "section": r.text(&f.Section),
	})
	if err != nil {
		return f, err
	}
	if f.Name == "" {
		return f, r.fault(n, "a file needs a name")
	}
	if f.ID != "" && !IsID(f.ID) {
		return f, r.fault(n, "the file's id is not 26 lower-case letters and digits")
	}
	if encoded != "" {
		data, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return f, r.fault(n, "the file's base64 is not base64")
		}
		f.Content = NewValue(string(data))
	}
	f.Size = len(f.Content.Reveal())
	return f, nil
}
