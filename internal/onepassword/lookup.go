package onepassword

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"hearth/internal/onepassword/totp"
)

// AllFields stands for the fields of an item that is asked for as a whole.
const AllFields = "(all fields)"

// DefaultField is the field that is meant where none is named.
const DefaultField = "password"

// codeAttributes are what asks for the current one-time password of a field,
// as in 1Password's secret references.
var codeAttributes = []string{"?attribute=otp", "?attribute=totp"}

// Lookup returns the field that a property names: by its label, else by
// "section.label", else by its id. With "?attribute=otp" behind it the value
// of the field is its current one-time password. The errors are
// *NoFieldError, *AmbiguousError and *OneTimePasswordError.
func (i *Item) Lookup(property string) (Field, error) {
	if property == "" {
		property = DefaultField
	}
	property = strings.TrimPrefix(property, fieldPrefix)
	f, err := i.lookup(property)
	var none *NoFieldError
	if !errors.As(err, &none) {
		return f, err
	}
	for _, attribute := range codeAttributes {
		if label, ok := strings.CutSuffix(property, attribute); ok {
			if f, err = i.lookup(label); err != nil {
				return f, err
			}
			f.Value, err = f.oneTimePassword(i.Title)
			return f, err
		}
	}
	return f, err
}

// oneTimePassword returns the one that a server told, or else computes it.
func (f Field) oneTimePassword(item string) (Value, error) {
	if f.Code.Reveal() != "" {
		return f.Code, nil
	}
	if !strings.EqualFold(f.Type, TypeOTP) {
		return Value{}, &OneTimePasswordError{item, f.Label, fmt.Errorf("it is of the type %s", f.Type)}
	}
	key, err := totp.Parse(f.Value.Reveal())
	if err != nil {
		return Value{}, &OneTimePasswordError{item, f.Label, err}
	}
	return NewValue(key.Code(time.Now())), nil
}

func (i *Item) lookup(property string) (Field, error) {
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
