package charts

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// mismatch is one thing that a schema says of values.
type mismatch struct {
	// at leads to the value, or to where one is missing.
	at []string
	// says goes on where the value's name ends, and holds no value.
	says string
	// lacks says that something is missing; extra that the value itself is not
	// one that the chart has.
	lacks, extra bool
	// choice says that several forms were allowed and none fits.
	choice bool
	// conditional says that the schema only demands it because of other values.
	conditional bool
}

// mismatches takes an error of validation apart.
func mismatches(err error) []mismatch {
	var e *jsonschema.ValidationError
	if !errors.As(err, &e) {
		return nil
	}
	return leaves(e, false)
}

// leaves returns what an error comes down to.
func leaves(e *jsonschema.ValidationError, conditional bool) []mismatch {
	conditional = conditional || isConditional(e.SchemaURL)
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		return choices(e, conditional)
	}
	if len(e.Causes) == 0 {
		return describe(e, conditional)
	}
	var all []mismatch
	for _, cause := range e.Causes {
		all = append(all, leaves(cause, conditional)...)
	}
	return all
}

// isConditional reports whether part of a schema stands below a condition.
func isConditional(schemaURL string) bool {
	_, pointer, _ := strings.Cut(schemaURL, "#")
	steps := strings.Split(pointer, "/")
	return slices.Contains(steps, "then") || slices.Contains(steps, "else") || slices.Contains(steps, "dependentSchemas")
}

// choices describes a value that fits none of several forms. Where its type
// is that of one form only, what is wrong with that one is what counts.
func choices(e *jsonschema.ValidationError, conditional bool) []mismatch {
	var meant []mismatch
	forms := 0
	var types []string
	for _, cause := range e.Causes {
		wrongType := typesWanted(cause, len(e.InstanceLocation))
		if len(wrongType) > 0 {
			types = append(types, wrongType...)
			continue
		}
		forms++
		meant = leaves(cause, conditional)
	}
	m := mismatch{at: e.InstanceLocation, says: "fits none of the forms that the chart allows", choice: true, conditional: conditional}
	switch {
	case forms == 1:
		for i := range meant {
			meant[i].choice = true
		}
		return meant
	case forms == 0 && len(types) > 0:
		slices.Sort(types)
		m.says = "must be " + alternatives(slices.Compact(types))
	case len(e.Causes) == 0:
		m.says = "fits several forms, of which the chart allows one"
	}
	return []mismatch{m}
}

// typesWanted returns the types that a form demands of the value itself, where
// that is what is wrong.
func typesWanted(e *jsonschema.ValidationError, depth int) []string {
	if k, ok := e.ErrorKind.(*kind.Type); ok && len(e.InstanceLocation) == depth {
		return k.Want
	}
	if len(e.Causes) != 1 {
		return nil
	}
	return typesWanted(e.Causes[0], depth)
}

// describe says what is wrong, in words that do not cite the value.
func describe(e *jsonschema.ValidationError, conditional bool) []mismatch {
	m := mismatch{at: e.InstanceLocation, conditional: conditional}
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		return unknownKeys(e, k.Properties, conditional)
	case *kind.FalseSchema:
		m.says, m.extra = "is not allowed", true
	case *kind.Required:
		m.says, m.lacks = "lacks "+strings.Join(k.Missing, " and "), true
	case *kind.DependentRequired:
		m.says, m.lacks = fmt.Sprintf("has %s and lacks %s", k.Prop, strings.Join(k.Missing, " and ")), true
	case *kind.Dependency:
		m.says, m.lacks = fmt.Sprintf("has %s and lacks %s", k.Prop, strings.Join(k.Missing, " and ")), true
	case *kind.MinProperties, *kind.MinItems, *kind.Contains, *kind.MinContains:
		m.says, m.lacks = "has too few entries", true
	case *kind.MaxProperties, *kind.MaxItems, *kind.AdditionalItems, *kind.MaxContains:
		m.says = "has too many entries"
	case *kind.UniqueItems:
		m.says = "holds the same item twice"
	case *kind.Type:
		m.says = "must be " + alternatives(k.Want) + ", not " + article(k.Got)
	case *kind.Enum:
		m.says = "must be one of " + list(k.Want)
	case *kind.Const:
		m.says = "must be " + list([]any{k.Want})
	case *kind.Pattern:
		m.says = "does not have the form " + k.Want
	case *kind.Format:
		m.says = "is no " + k.Want
	case *kind.MinLength:
		m.says = fmt.Sprintf("must have %d characters at least", k.Want)
	case *kind.MaxLength:
		m.says = fmt.Sprintf("must have %d characters at most", k.Want)
	case *kind.Minimum:
		m.says = "must be at least " + k.Want.RatString()
	case *kind.Maximum:
		m.says = "must be at most " + k.Want.RatString()
	case *kind.ExclusiveMinimum:
		m.says = "must be more than " + k.Want.RatString()
	case *kind.ExclusiveMaximum:
		m.says = "must be less than " + k.Want.RatString()
	case *kind.MultipleOf:
		m.says = "must be a multiple of " + k.Want.RatString()
	case *kind.PropertyNames:
		m.says = "has the key " + k.Property + ", which is none that the chart allows"
	default:
		m.says, m.choice = "does not fit the chart's schema", true
	}
	return []mismatch{m}
}

// unknownKeys makes one mismatch of each key that the chart does not have.
func unknownKeys(e *jsonschema.ValidationError, keys []string, conditional bool) []mismatch {
	var list []mismatch
	for _, key := range slices.Sorted(slices.Values(keys)) {
		list = append(list, mismatch{
			at: append(slices.Clip(e.InstanceLocation), key), says: "is none of the chart's values", extra: true, conditional: conditional,
		})
	}
	return list
}

func alternatives(types []string) string {
	named := make([]string, len(types))
	for i, t := range types {
		named[i] = article(t)
	}
	return strings.Join(named, " or ")
}

// article names a type of JSON as YAML calls it.
func article(jsonType string) string {
	switch jsonType {
	case "object":
		return "a mapping"
	case "array":
		return "a list"
	case "integer":
		return "a whole number"
	case "null":
		return "empty"
	}
	return "a " + jsonType
}

// list writes the values that a schema allows.
func list(values []any) string {
	named := make([]string, 0, len(values))
	for _, v := range values {
		if v == nil {
			v = "nothing"
		}
		named = append(named, fmt.Sprint(v))
	}
	return strings.Join(named, ", ")
}
