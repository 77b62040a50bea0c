package onepassword

import (
	"slices"

	"hearth/internal/domain"
)

// hides reports whether a fault makes an item as if it were not there.
func (s *Server) hides(v Vault, title string) bool {
	return s.options.Faults.On(domain.FaultItemMissing, title, v.Name+"/"+title)
}

// hidesField reports whether a fault makes a field or file of an item as if it
// were not there. A field is named by its label, its section and label, or its
// id.
func (s *Server) hidesField(v Vault, title string, names ...string) bool {
	var all []string
	for _, name := range names {
		all = append(all, title+"/"+name, v.Name+"/"+title+"/"+name)
	}
	return s.options.Faults.On(domain.FaultFieldMissing, all...)
}

// shown returns an item without the fields and files that faults hide.
func (s *Server) shown(v Vault, item Item) Item {
	if len(s.options.Faults.Of(domain.FaultFieldMissing)) == 0 {
		return item
	}
	item.Fields = slices.DeleteFunc(slices.Clone(item.Fields), func(f Field) bool {
		return s.hidesField(v, item.Title, f.Label, f.Section+"."+f.Label, f.ID)
	})
	item.Files = slices.DeleteFunc(slices.Clone(item.Files), func(f File) bool {
		return s.hidesField(v, item.Title, f.Name, f.ID)
	})
	return item
}
