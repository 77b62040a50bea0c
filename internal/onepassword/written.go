package onepassword

import "slices"

// written is an item that a client wrote, or deleted where item is nil.
type written struct {
	vault Vault
	id    string
	item  *Item
}

// over returns the vaults with what was written. What it is given stays as it
// is: others read it.
func (w written) over(vaults []Vault) []Vault {
	vaults = slices.Clone(vaults)
	at := slices.IndexFunc(vaults, func(v Vault) bool { return v.ID == w.vault.ID })
	if at < 0 {
		vaults = append(vaults, Vault{ID: w.vault.ID, Name: w.vault.Name})
		at = len(vaults) - 1
	}
	items := slices.Clone(vaults[at].Items)
	i := slices.IndexFunc(items, func(item Item) bool { return item.ID == w.id })
	switch {
	case i < 0 && w.item != nil:
		items = append(items, *w.item)
	case i >= 0 && w.item != nil:
		items[i] = *w.item
	case i >= 0:
		items = slices.Delete(items, i, i+1)
	}
	vaults[at].Items = items
	return vaults
}

// put keeps, or saves, what was written. s.writing is held.
func (s *Server) put(w written) error {
	if s.options.Writes == WritesSaved {
		if err := s.save(w); err != nil {
			return err
		}
		s.mu.Lock()
		s.changes++
		s.mu.Unlock()
		return s.Reload()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.item != nil && len(s.written) >= maxItems {
		return invalidError("The server keeps no more items")
	}
	s.written = slices.DeleteFunc(s.written, func(old written) bool { return old.vault.ID == w.vault.ID && old.id == w.id })
	s.written = append(s.written, w)
	s.vaults = w.over(s.vaults)
	s.changes++
	return nil
}

// save writes into the vault file.
func (s *Server) save(w written) error {
	d, err := OpenDocument(s.options.File, s.options.Identity)
	if err != nil {
		return err
	}
	if w.item == nil {
		err = d.RemoveItem(w.vault.ID, w.id)
	} else {
		err = d.PutItem(w.vault.ID, *w.item)
	}
	if err != nil {
		return err
	}
	return d.Save()
}
