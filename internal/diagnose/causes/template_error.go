package causes

import (
	"regexp"

	"hearth/internal/diagnose"
)

var templateError = &diagnose.Cause{
	Name:     "template-error",
	Title:    "The template of an ExternalSecret is wrong",
	Symptom:  "An ExternalSecret is Failed, although the vault has what it reads.",
	Evidence: "The ExternalSecret's Ready condition says that a template cannot be parsed or executed.",
	Why:      "spec.target.template holds Go templates: a brace too few, or a function that does not exist, and no Secret is made.",
	Fix:      "Correct the template's syntax in spec.target.template.",
	Section:  "ExternalSecret Failed to Sync", Scenario: "Template error", Unless: []string{"secret-value-missing"},
	Find: func(s *diagnose.Search) {
		matching(s, brokenTemplate, []diagnose.Kind{diagnose.ExternalSecret}, func(c complaint, groups []string) {
			if noField.MatchString(c.text) {
				return
			}
			at := diagnose.Locus{Key: c.object.Key, Field: []string{"spec", "target", "template"}}
			sentence := "A template of " + c.object.Ref().String() + " cannot be used."
			if key := first(groups[1:]); key != "" {
				at.Field = append(at.Field, "data", key)
				sentence = "The template " + key + " of " + c.object.Ref().String() + " cannot be used."
			}
			s.Report(diagnose.Finding{
				Subject: c.object.Key, Sentence: sentence, Evidence: []diagnose.Evidence{c.Evidence}, At: at, Commands: diagnose.Show(c.object.Key),
			})
		})
	},
}

// brokenTemplate is how Hearth and External Secrets word it; the group is the
// template's key.
var brokenTemplate = regexp.MustCompile(`template "([^"]+)"|unable to (?:parse|execute) template at key ([^\s:]+)|unable to (?:parse|execute) template|template: ([^:\s]+):\d+|could not (?:apply|execute) template`)
