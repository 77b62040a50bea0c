package secrets

import (
	"slices"

	"hearth/internal/onepassword"
)

// Locked returns, of vaults, what a lock is to list for needs: the items that
// they name, in the vaults where they are looked for, with all their fields, and
// the fields that find matches. What the repository does not name is nobody's business.
func Locked(needs []Need, vaults []onepassword.Vault) []onepassword.Vault {
	kept := []onepassword.Vault{}
	for _, v := range Names(vaults) {
		var items []onepassword.Item
		asked, byID := false, false
		for _, item := range v.Items {
			of := needsOf(needs, vaults, v, item)
			if len(of) > 0 {
				items = append(items, lockedItem(of, item))
			}
		}
		for _, n := range needs {
			byID = byID || slices.Contains(n.Store.Vaults, v.ID)
			asked = asked || byID || slices.Contains(n.Store.Vaults, v.Name)
		}
		if len(items) == 0 && !asked {
			continue
		}
		if v.Items = items; !byID {
			v.ID = madeID(v.Name)
		}
		kept = append(kept, v)
	}
	return kept
}

// needsOf returns the needs that name an item of a vault, or find it.
func needsOf(needs []Need, vaults []onepassword.Vault, v onepassword.Vault, item onepassword.Item) []Need {
	var of []Need
	for _, n := range needs {
		inVault := slices.ContainsFunc(searched(vaults, n.Store.Vaults), func(other *onepassword.Vault) bool { return other.ID == v.ID })
		named := n.Search == nil && (n.Item == item.Title || n.Item == item.ID)
		if inVault && (named || n.Search != nil && len(matchedFields(&item, n.Search)) > 0) {
			of = append(of, n)
		}
	}
	return of
}

// lockedItem returns an item as a lock lists it. Ids are only kept where the
// repository goes by them, tags where it looks for them.
func lockedItem(of []Need, item onepassword.Item) onepassword.Item {
	out := item
	named, id, tags := false, false, false
	ids, found := map[string]bool{}, map[string]bool{}
	for _, n := range of {
		if n.Search == nil {
			named = true
			id = id || n.Item == item.ID
			ids[n.Field] = true
			continue
		}
		tags = tags || len(n.Search.Tags) > 0
		for _, label := range matchedFields(&item, n.Search) {
			found[label] = true
		}
	}
	if !id {
		out.ID = ""
	}
	if !tags {
		out.Tags = nil
	}
	out.Fields, out.Files = nil, nil
	for _, f := range item.Fields {
		if !named && !found[f.Label] {
			continue
		}
		if f.ID == f.Label || !ids[f.ID] {
			f.ID = ""
		}
		out.Fields = append(out.Fields, f)
	}
	for _, f := range item.Files {
		if named || found[f.Name] {
			out.Files = append(out.Files, f)
		}
	}
	return out
}
