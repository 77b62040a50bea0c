package secrets

import (
	"slices"

	"hearth/internal/onepassword"
)

// Names returns vaults without the values of their fields and the content of
// their files. Nothing of the vaults is kept.
func Names(vaults []onepassword.Vault) []onepassword.Vault {
	out := make([]onepassword.Vault, 0, len(vaults))
	for _, v := range vaults {
		bare := onepassword.Vault{ID: v.ID, Name: v.Name}
		for _, item := range v.Items {
			bare.Items = append(bare.Items, bareItem(item))
		}
		out = append(out, bare)
	}
	return out
}

func bareItem(item onepassword.Item) onepassword.Item {
	bare := onepassword.Item{
		ID: item.ID, Title: item.Title, VaultID: item.VaultID, Category: item.Category, Tags: slices.Clone(item.Tags),
	}
	for _, f := range item.Fields {
		bare.Fields = append(bare.Fields, onepassword.Field{ID: f.ID, Label: f.Label, Section: f.Section})
	}
	for _, f := range item.Files {
		bare.Files = append(bare.Files, onepassword.File{ID: f.ID, Name: f.Name, Section: f.Section})
	}
	return bare
}

// searched returns the vaults that a store searches, in its order: all, where
// it is not known to name any.
func searched(vaults []onepassword.Vault, order []string) []*onepassword.Vault {
	var found []*onepassword.Vault
	if len(order) == 0 {
		for i := range vaults {
			found = append(found, &vaults[i])
		}
		return found
	}
	for _, name := range order {
		if v := vault(vaults, name); v != nil {
			found = append(found, v)
		}
	}
	return found
}

// vault returns the vault of a name or id; nil where there is none.
func vault(vaults []onepassword.Vault, name string) *onepassword.Vault {
	for i := range vaults {
		if vaults[i].Name == name || vaults[i].ID == name {
			return &vaults[i]
		}
	}
	return nil
}

// lookUp returns the item of a title, or else of an id, from the first vault in
// the order that has it.
func lookUp(vaults []onepassword.Vault, order []string, title string) (*onepassword.Vault, *onepassword.Item) {
	for _, v := range searched(vaults, order) {
		if item := itemOf(v, title); item != nil {
			return v, item
		}
	}
	return nil, nil
}

func itemOf(v *onepassword.Vault, title string) *onepassword.Item {
	for _, matches := range []func(onepassword.Item) bool{
		func(i onepassword.Item) bool { return i.Title == title },
		func(i onepassword.Item) bool { return i.ID == title && onepassword.IsID(title) },
	} {
		if i := slices.IndexFunc(v.Items, matches); i >= 0 {
			return &v.Items[i]
		}
	}
	return nil
}

// labels returns what extract takes over from an item: the labels of its
// fields, or of a document the names of its files.
func labels(item *onepassword.Item) []string {
	if item.Category == onepassword.CategoryDocument {
		return fileNames(item)
	}
	var names []string
	for _, f := range item.Fields {
		if f.Label != "" {
			names = append(names, f.Label)
		}
	}
	return names
}

func fileNames(item *onepassword.Item) []string {
	names := make([]string, len(item.Files))
	for i, f := range item.Files {
		names[i] = f.Name
	}
	return names
}
