package onepassword

import (
	"fmt"
	"strings"
)

// DefaultField is the field that is meant where none is named.
const DefaultField = "password"

// Lookup returns the field that a property names: by its label, else by
// "section.label", else by its id. The errors are *NoFieldError and
// *AmbiguousError.
func (i *Item) Lookup(property string) (Field, error) {
	if property == "" {
		property = DefaultField
	}
	property = strings.TrimPrefix(property, fieldPrefix)
	for _, matches := range []func(Field) bool{
		func(f Field) bool { return f.Label == property },
		func(f Field) bool { return f.Section != "" && f.Section+"."+f.Label == property },
		func(f Field) bool { return f.ID == property },
	} {
		var found []Field
		for _, f := range i.Fields {
			if matches(f) {
				found = append(found, f)
			}
		}
		switch {
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			return Field{}, &AmbiguousError{len(found), fmt.Sprintf("fields %q in the 1Password item %q", property, i.Title), "rename all but one, or name the section as section.field"}
		}
	}
	return Field{}, &NoFieldError{Items: []string{i.Title}, Field: property}
}

// A property may say whether it is a field or a file.
const (
	fieldPrefix = "field/"
	filePrefix  = "file/"
)

// IsFile reports whether a property of the item names a file: those of a
// document do, and those that say so.
func (i *Item) IsFile(property string) bool {
	if strings.HasPrefix(property, filePrefix) {
		return true
	}
	return i.Category == CategoryDocument && !strings.HasPrefix(property, fieldPrefix)
}

// LookupFile returns the file that a property names, the first one where it is
// empty. The error is a *NoFileError.
func (i *Item) LookupFile(property string) (File, error) {
	property = strings.TrimPrefix(property, filePrefix)
	for _, f := range i.Files {
		if property == "" || f.Name == property {
			return f, nil
		}
	}
	return File{}, &NoFileError{i.Title, property}
}
