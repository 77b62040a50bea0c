package causes

import (
	"regexp"

	"hearth/internal/diagnose"
)

var variableUnknown = &diagnose.Cause{
	Name:     "variable-unknown",
	Title:    "A substitution variable is not defined",
	Symptom:  "A Kustomization is Failed before it applies anything.",
	Evidence: "The Ready condition says which variable is not set.",
	Why:      "A ${VARIABLE} in the tree that neither postBuild.substitute nor one of the substituteFrom objects defines.",
	Fix:      "Define the variable in the settings that postBuild.substituteFrom reads, or give it a default: ${VARIABLE:=value}.",
	Find: func(s *diagnose.Search) {
		matching(s, unsetVariable, []diagnose.Kind{diagnose.Kustomization}, func(c complaint, groups []string) {
			variable := first(groups[1:])
			s.Report(diagnose.Finding{
				Subject: c.object.Key, Sentence: "The variable " + variable + " that " + c.object.Ref().String() + " uses is not defined.",
				Evidence: []diagnose.Evidence{c.Evidence}, At: usedBy(s, c.object, "${"+variable), Commands: diagnose.Show(c.object.Key),
			})
		})
	},
}

var unsetVariable = regexp.MustCompile(`variable not set(?: \(strict mode\))?:? "?\$?\{?([A-Za-z_][A-Za-z0-9_]*)|variable "?\$?\{?([A-Za-z_][A-Za-z0-9_]*)\}?"? (?:is )?not (?:set|defined)`)

// usedBy finds a text in what a Kustomization has applied before; where that
// lacks it, the place is where the Kustomization gets its variables from.
func usedBy(s *diagnose.Search, kustomization *diagnose.Object, text string) diagnose.Locus {
	if s.Places != nil {
		for _, o := range s.All(diagnose.Kinds...) {
			if s.Bringer(o) == kustomization && s.Places.Mention(o.Key, text).Known() {
				return diagnose.Locus{Key: o.Key, Text: text}
			}
		}
	}
	return diagnose.Locus{Key: kustomization.Key, Field: []string{"spec", "postBuild"}}
}
