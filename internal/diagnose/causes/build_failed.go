package causes

import (
	"strings"

	"hearth/internal/diagnose"
)

var buildFailed = &diagnose.Cause{
	Name:     "build-failed",
	Title:    "A Kustomization cannot be built",
	Symptom:  "A Kustomization is Failed before it applies anything.",
	Evidence: "The Ready condition has the reason BuildFailed, or says that the path does not exist.",
	Why:      "A file that kustomization.yaml lists does not exist, YAML that does not parse, or a path that was moved.",
	Fix:      "Correct the file that the message names; hearth build and hearth check show it before it is pushed.",
	Section:  "Flux Reconciliation States", Unless: []string{"variable-unknown", "sops-key-missing"},
	Find: func(s *diagnose.Search) {
		for _, c := range complaints(s, diagnose.Kustomization) {
			if c.object.Condition("Ready").Reason != "BuildFailed" && !strings.Contains(c.text, "path not found") {
				continue
			}
			s.Report(diagnose.Finding{
				Subject: c.object.Key, Sentence: "What " + c.object.Ref().String() + " applies cannot be built.", Evidence: []diagnose.Evidence{c.Evidence},
				At: diagnose.Locus{Key: c.object.Key, Field: []string{"spec", "path"}}, Commands: diagnose.Show(c.object.Key),
			})
		}
	},
}
