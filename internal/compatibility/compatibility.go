// Package compatibility holds what Hearth promises of each kind that it
// reconciles: one line a field, with the tests that show it. The page for users
// is made of it, and a test holds it to the definitions and to the tests that
// there are, so that no field of a kind goes unmentioned.
package compatibility

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

//go:generate go test . -run TestReference -update

//go:embed fields/*.txt
var files embed.FS

// Kind is what is promised of a kind's fields.
type Kind struct {
	Name string
	// About says something of the kind as a whole, a sentence an entry.
	About []string
	Lines []Line
}

// Line is what is promised of a field and all below it that have no line of
// their own.
type Line struct {
	// Field is a path such as spec.sourceRef.name, without marks for lists.
	Field string
	// Tests show that the field works; there are none where Why says that it
	// does not yet.
	Tests []string
	Why   string
}

// notYet opens the reason of a field that does not work.
const notYet = "not yet: "

// Kinds returns all kinds that lines were written for, by name.
func Kinds() ([]Kind, error) {
	names, err := fs.Glob(files, "fields/*.txt")
	if err != nil {
		return nil, err
	}
	var kinds []Kind
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		kind, err := parse(strings.TrimSuffix(path.Base(name), ".txt"), string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

// parse reads lines such as "spec.path  TestPath, TestNoPath".
func parse(name, text string) (Kind, error) {
	kind := Kind{Name: name}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if about, ok := strings.CutPrefix(line, "#"); ok {
			kind.About = append(kind.About, strings.TrimSpace(about))
			continue
		}
		field, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		if rest == "" {
			return kind, fmt.Errorf("line %d: %s has neither a test nor a reason", i+1, field)
		}
		if slices.ContainsFunc(kind.Lines, func(l Line) bool { return l.Field == field }) {
			return kind, fmt.Errorf("line %d: %s comes twice", i+1, field)
		}
		if why, ok := strings.CutPrefix(rest, notYet); ok {
			kind.Lines = append(kind.Lines, Line{Field: field, Why: why})
			continue
		}
		tests := strings.Split(rest, ",")
		for i := range tests {
			tests[i] = strings.TrimSpace(tests[i])
		}
		kind.Lines = append(kind.Lines, Line{Field: field, Tests: tests})
	}
	return kind, nil
}

// Covers reports whether a field has a line, or one above it does.
func (k Kind) Covers(field string) bool {
	return slices.ContainsFunc(k.Lines, func(l Line) bool { return l.Field == field || strings.HasPrefix(field, l.Field+".") })
}

// Fields lists the fields of a definition's stored version below spec and
// status, down to those without fields of their own.
func Fields(crd *apiextensionsv1.CustomResourceDefinition) []string {
	var fields []string
	for _, version := range crd.Spec.Versions {
		if !version.Storage || version.Schema == nil {
			continue
		}
		for _, top := range []string{"spec", "status"} {
			if schema, ok := version.Schema.OpenAPIV3Schema.Properties[top]; ok {
				fields = append(fields, leaves(top, schema)...)
			}
		}
	}
	slices.Sort(fields)
	return fields
}

func leaves(field string, schema apiextensionsv1.JSONSchemaProps) []string {
	for schema.Items != nil && schema.Items.Schema != nil {
		schema = *schema.Items.Schema
	}
	if len(schema.Properties) == 0 {
		return []string{field}
	}
	var fields []string
	for name, below := range schema.Properties {
		fields = append(fields, leaves(field+"."+name, below)...)
	}
	return fields
}
