package secrets

import (
	"slices"
	"sync"

	"hearth/internal/onepassword"
)

// Gate lets pass, of the fields that a rehearsal makes up, those that a lock
// lists. Its methods may be called concurrently.
type Gate struct {
	vaults []onepassword.Vault
	mu     sync.Mutex
	free   map[string]bool
}

// NewGate returns a gate for the vaults of a lock.
func NewGate(vaults []onepassword.Vault) *Gate {
	return &Gate{vaults: vaults, free: map[string]bool{}}
}

// Free lets all fields of an item pass: one of a store that no lock lists.
func (g *Gate) Free(item string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free[item] = true
}

// Pass returns the fields of an item of a vault that may be made up.
func (g *Gate) Pass(vault, item string, fields []onepassword.Field) []onepassword.Field {
	g.mu.Lock()
	free := g.free[item]
	g.mu.Unlock()
	if free {
		return fields
	}
	_, listed := lookUp(g.vaults, []string{vault}, item)
	if listed == nil {
		return nil
	}
	var passed []onepassword.Field
	for _, f := range fields {
		i := slices.IndexFunc(listed.Fields, func(l onepassword.Field) bool { return l.Label == f.Label })
		if i >= 0 {
			f.Section = listed.Fields[i].Section
			passed = append(passed, f)
		}
	}
	return passed
}

// Needs returns every field that is listed, to be made up.
func (g *Gate) Needs() []onepassword.Need {
	var needs []onepassword.Need
	for _, v := range g.vaults {
		for _, item := range v.Items {
			for _, f := range item.Fields {
				needs = append(needs, onepassword.Need{Item: item.Title, Field: f.Label})
			}
		}
	}
	return needs
}

// Shells returns the vaults with their items, which have no fields yet, and
// files of made-up content. A vault that stores name by its id has that for a name.
func (g *Gate) Shells() []onepassword.Vault {
	shells := Names(g.vaults)
	for k, v := range shells {
		if v.ID != madeID(v.Name) {
			shells[k].Name = v.ID
		}
		for i := range v.Items {
			v.Items[i].Fields = nil
			for j := range v.Items[i].Files {
				f := &v.Items[i].Files[j]
				f.Content = onepassword.NewValue("made up: " + f.Name)
				f.Size = len(f.Content.Reveal())
			}
		}
	}
	return shells
}
