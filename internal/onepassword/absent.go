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
// were not there.
func (s *Server) hidesField(v Vault, title string, names ...string) bool {
	return s.befalls(domain.FaultFieldMissing, v, title, names...)
}

// befalls reports whether a fault of a kind concerns a field or file. A field
// is named by its label, its section and label, or its id.
func (s *Server) befalls(kind domain.FaultKind, v Vault, title string, names ...string) bool {
	var all []string
	for _, name := range names {
		all = append(all, title+"/"+name, v.Name+"/"+title+"/"+name)
	}
	return s.options.Faults.On(kind, all...)
}

// shown returns an item without the fields and files that faults hide, and
// with other values where faults rotate them.
func (s *Server) shown(v Vault, item Item) Item {
	hidden, rotated := s.options.Faults.Of(domain.FaultFieldMissing), s.options.Faults.Of(domain.FaultRotate)
	if len(hidden)+len(rotated) == 0 {
		return item
	}
	item.Fields = slices.DeleteFunc(slices.Clone(item.Fields), func(f Field) bool {
		return s.hidesField(v, item.Title, fieldNames(f)...)
	})
	item.Files = slices.DeleteFunc(slices.Clone(item.Files), func(f File) bool {
		return s.hidesField(v, item.Title, f.Name, f.ID)
	})
	for i, f := range item.Fields {
		if s.befalls(domain.FaultRotate, v, item.Title, fieldNames(f)...) {
			item.Fields[i].Value = NewValue(f.Value.Reveal() + rotatedSuffix)
			item.Version++
		}
	}
	return item
}

// rotatedSuffix makes another value of one. It lasts as long as the fault: the
// values of a rehearsal open nothing, it only counts that they change.
const rotatedSuffix = "-rotated"

func fieldNames(f Field) []string { return []string{f.Label, f.Section + "." + f.Label, f.ID} }
