package secrets

import (
	"slices"

	"hearth/internal/onepassword"
)

// Unused is an item, or a field of one, that nothing in the repository reads.
type Unused struct {
	Vault, Item string
	Field       string // empty: the whole item
}

// standing are the fields that items have by themselves, filled in or not.
var standing = map[string]bool{"username": true, "password": true, "notesPlain": true, "credential": true}

// UnusedOf returns what nothing reads in the vaults that needs search.
func UnusedOf(needs []Need, vaults []onepassword.Vault) []Unused {
	var unused []Unused
	for _, v := range vaults {
		asked := slices.ContainsFunc(needs, func(n Need) bool {
			return slices.Contains(n.Store.Vaults, v.Name) || slices.Contains(n.Store.Vaults, v.ID)
		})
		if !asked {
			continue
		}
		for _, item := range v.Items {
			of := needsOf(needs, vaults, v, item)
			if len(of) == 0 {
				unused = append(unused, Unused{Vault: v.Name, Item: item.Title})
				continue
			}
			for _, label := range unusedFields(of, item) {
				unused = append(unused, Unused{v.Name, item.Title, label})
			}
		}
	}
	return unused
}

func unusedFields(of []Need, item onepassword.Item) []string {
	used := map[string]bool{}
	for _, n := range of {
		switch {
		case n.Search != nil:
			for _, label := range matchedFields(&item, n.Search) {
				used[label] = true
			}
		case n.Field == "" || n.all:
			return nil
		default:
			if label, err := lookUpField(&item, n.Field); err == nil {
				used[label] = true
			}
			used[n.Field] = true
		}
	}
	var unused []string
	for _, label := range labels(&item) {
		if !used[label] && !standing[label] && !slices.Contains(unused, label) {
			unused = append(unused, label)
		}
	}
	return unused
}

// String returns vault/item or vault/item/field.
func (u Unused) String() string {
	if u.Field == "" {
		return u.Vault + "/" + u.Item
	}
	return u.Vault + "/" + u.Item + "/" + u.Field
}
