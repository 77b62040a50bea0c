package onepassword

import (
	"cmp"
	"slices"

	"hearth/internal/domain"
)

// allVaults returns the vaults, and one that is made up if a filter asks for a
// name that no vault has and things may be made up.
func (s *Server) allVaults(f filter) []Vault {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append([]Vault{}, s.vaults...)
	name := f.text
	if name == "" && len(all) == 0 {
		name = "Assumed"
	}
	if name == "" || s.options.Assume == nil || slices.ContainsFunc(all, func(v Vault) bool { return v.Name == name }) {
		return all
	}
	v := Vault{ID: MakeID("vault", name), Name: name}
	s.invited[v.ID] = v
	return append(all, v)
}

// makeUp returns an item that no vault has.
func (s *Server) makeUp(v Vault, title string) (Item, bool) {
	if s.options.Assume == nil || s.hides(v, title) {
		return Item{}, false
	}
	s.mu.RLock()
	_, exists := find(s.vaults, title)
	s.mu.RUnlock()
	if exists {
		return Item{}, false
	}
	item := Item{ID: MakeID("made up", v.ID, title), Title: title, VaultID: v.ID, Category: "LOGIN"}
	item.Fields = s.options.Assume(v.Name, title)
	if len(item.Fields) == 0 {
		return Item{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made[item.ID] = madeUpItem{v.ID, title}
	return item, true
}

// madeUp returns an item that was made up before, by its id.
func (s *Server) madeUp(v Vault, id string) (Item, bool) {
	s.mu.RLock()
	made, ok := s.made[id]
	s.mu.RUnlock()
	if !ok || made.vault != v.ID {
		return Item{}, false
	}
	item, ok := s.makeUp(v, made.title)
	for _, f := range item.Fields {
		if !s.hidesField(v, item.Title, f.Label) {
			s.assumed(item, f, "no vault has the item")
		}
	}
	return item, ok
}

// supplement adds the fields to an item that it lacks and that may be made up.
func (s *Server) supplement(v Vault, item Item) Item {
	if s.options.Assume == nil {
		return item
	}
	fields := slices.Clone(item.Fields)
	for _, f := range s.options.Assume(v.Name, item.Title) {
		if slices.ContainsFunc(item.Fields, func(g Field) bool { return g.Label == f.Label }) {
			continue
		}
		fields = append(fields, f)
		s.assumed(item, f, "the item has no such field")
	}
	item.Fields = fields
	return item
}

// assumed notes that a field was made up.
func (s *Server) assumed(item Item, f Field, why string) {
	name := f.Label
	if f.ID == wholeField {
		name = AllFields
	}
	s.options.Assumptions.Add(domain.AssumedSecret, item.Title+"/"+name, cmp.Or(s.options.Reason, why))
}
