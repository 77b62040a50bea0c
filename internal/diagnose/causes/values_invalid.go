package causes

import (
	"regexp"
	"strings"

	"hearth/internal/diagnose"
)

var valuesInvalid = &diagnose.Cause{
	Name:     "values-invalid",
	Title:    "The release's values do not suit the chart",
	Symptom:  "A HelmRelease is Failed, or stuck Reconciling until its retries are used up.",
	Evidence: "Helm says that the values do not meet the chart's schema, that a template ends with an error, or that what it rendered is no valid object.",
	Why:      "A misspelt or misplaced value, or one of the wrong type: the chart refuses it, or renders what the API server refuses.",
	Fix:      "Correct spec.values by the chart's schema and documentation; hearth check tells the line.",
	Section:  "HelmRelease Stuck Reconciling", Scenario: "Invalid chart values",
	Unless: []string{"immutable-field", "webhook-down", "definition-missing", "field-conflict", "dependency-race"},
	Find: func(s *diagnose.Search) {
		matching(s, refusedValues, []diagnose.Kind{diagnose.HelmRelease}, func(c complaint, _ []string) {
			at := diagnose.Locus{Key: c.object.Key, Field: []string{"spec", "values"}}
			sentence := "The values of " + c.object.Ref().String() + " do not suit its chart."
			if m := namedValue.FindStringSubmatch(c.text); m != nil {
				path := first(m[1:])
				parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '.' })
				if len(parts) > 0 {
					at.Field = append(at.Field, parts...)
					sentence = "The value " + strings.Join(parts, ".") + " of " + c.object.Ref().String() + " does not suit its chart."
				}
				if m := addedProperty.FindStringSubmatch(c.text); m != nil {
					at.Field, at.Text = append([]string{"spec", "values"}, parts...), first(m[1:])
				}
			}
			if path := refusedValue(c.object, c.text); path != nil {
				at.Field = path
			}
			s.Report(diagnose.Finding{
				Subject: c.object.Key, Sentence: sentence, Evidence: []diagnose.Evidence{c.Evidence}, At: at, Commands: diagnose.Show(c.object.Key),
			})
		})
	},
}

var (
	refusedValues = regexp.MustCompile(`values don't meet the specifications|execution error at|error calling \w+|nil pointer evaluating|can't evaluate field|cannot unmarshal|error validating data|YAML parse error|error converting YAML|could not compose values|unable to build kubernetes objects|(?s)is invalid: .*(?:Required value|Unsupported value|Invalid value)`)
	// namedValue is how schema validators and Helm name a value.
	namedValue    = regexp.MustCompile(`at '/([^']*)'|- (?:\(root\)\.?)?([A-Za-z0-9_.-]*): (?:Additional|Invalid type|Must|Does not)|\.Values\.([A-Za-z0-9_.]+)|"\.Values\.([A-Za-z0-9_.]+)"`)
	addedProperty = regexp.MustCompile(`additional properties? '([^']+)' not allowed|Additional property (\S+) is not allowed`)
)
