package onepassword

import (
	"errors"
	"fmt"
	"strings"
)

// Vault returns the vault of a name or id; of no name the only one.
func (c Content) Vault(name string) (Vault, error) {
	var names []string
	for _, v := range c.Vaults {
		if name != "" && (v.Name == name || v.ID == name) {
			return v, nil
		}
		names = append(names, v.Name)
	}
	switch {
	case len(names) == 0:
		return Vault{}, errors.New("the file has no vault")
	case name != "":
		return Vault{}, fmt.Errorf("there is no vault %q: choose one of %s", name, strings.Join(names, ", "))
	case len(names) > 1:
		return Vault{}, fmt.Errorf("there are %d vaults: choose one of %s", len(names), strings.Join(names, ", "))
	}
	return c.Vaults[0], nil
}

// Find returns the item of a title, else of an id, in the vault of a name or
// id; of no name in any vault. The errors are *NoItemError, *AmbiguousError
// and those of Vault.
func (c Content) Find(vault, item string) (Vault, Item, error) {
	vaults := c.Vaults
	if vault != "" {
		v, err := c.Vault(vault)
		if err != nil {
			return v, Item{}, err
		}
		vaults = []Vault{v}
	}
	for _, matches := range []func(Item) bool{
		func(i Item) bool { return i.Title == item },
		func(i Item) bool { return i.ID == item },
	} {
		var in Vault
		var found []Item
		for _, v := range vaults {
			for _, i := range v.Items {
				if matches(i) {
					in, found = v, append(found, i)
				}
			}
		}
		switch {
		case len(found) == 1:
			return in, found[0], nil
		case len(found) > 1:
			return in, Item{}, &AmbiguousError{len(found), fmt.Sprintf("items %q", item), "name the vault, or the item by its id"}
		}
	}
	none := &NoItemError{Item: item}
	for _, v := range vaults {
		none.Vaults = append(none.Vaults, v.Name)
	}
	return Vault{}, Item{}, none
}
