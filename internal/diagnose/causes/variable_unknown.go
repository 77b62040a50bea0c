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
				Evidence: []diagnose.Evidence{c.Evidence}, At: diagnose.Locus{Key: c.object.Key, Field: []string{"spec", "postBuild"}}, Commands: diagnose.Show(c.object.Key),
			})
		})
	},
}

var unsetVariable = regexp.MustCompile(`variable not set(?: \(strict mode\))?:? "?\$?\{?([A-Za-z_][A-Za-z0-9_]*)|variable "?\$?\{?([A-Za-z_][A-Za-z0-9_]*)\}?"? (?:is )?not (?:set|defined)`)
