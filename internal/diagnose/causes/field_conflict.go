package causes

import (
	"regexp"

	"hearth/internal/diagnose"
)

var fieldConflict = &diagnose.Cause{
	Name:     "field-conflict",
	Title:    "Two owners want one object or field",
	Symptom:  "A Kustomization or HelmRelease is Failed, or two of them change an object to and fro.",
	Evidence: "The API server tells of a conflict of field managers; Helm says that an object belongs to another release; or an event says that two Kustomizations apply one object.",
	Why:      "An object that stands in two places of the tree, or that an operator or a person writes too, has two truths.",
	Fix:      "Keep the object in one place of the tree; or leave the field out of Git where somebody else owns it.",
	Find: func(s *diagnose.Search) {
		matching(s, conflict, appliers, func(c complaint, _ []string) {
			s.Report(diagnose.Finding{
				Subject: c.object.Key, Sentence: "Something that " + c.object.Ref().String() + " applies belongs to somebody else, too.",
				Evidence: []diagnose.Evidence{c.Evidence}, Commands: diagnose.Show(c.object.Key),
			})
		})
	},
}

var conflict = regexp.MustCompile(`conflict with "|Apply failed with \d+ conflict|invalid ownership metadata|exists and cannot be imported into the current release|cannot (?:be )?re-use a name that is still in use`)
