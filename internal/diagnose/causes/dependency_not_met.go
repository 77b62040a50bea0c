package causes

import (
	"hearth/internal/diagnose"
)

var dependencyNotMet = &diagnose.Cause{
	Name:     "dependency-not-met",
	Title:    "What dependsOn names is not ready, or does not exist",
	Symptom:  "A HelmRelease or Kustomization waits, and says that a dependency is not ready.",
	Evidence: "The Ready condition has the reason DependencyNotReady; the dependency does not exist, waits in a circle, or is not ready for no reason that could be found.",
	Why:      "Flux applies nothing before all that dependsOn names is Ready. If a dependency fails, all downstream applications block for as long.",
	Fix:      "Bring the dependsOn target to Ready, or correct its name and namespace.",
	Section:  "HelmRelease Stuck Reconciling", Scenario: "Dependency not met", Yields: true,
	Unless: []string{"suspended"},
	Find: func(s *diagnose.Search) {
		for _, o := range s.All(appliers...) {
			if o.Condition("Ready").Reason != "DependencyNotReady" || s.Trouble(o) == nil {
				continue
			}
			for _, d := range diagnose.Dependencies(o) {
				target := s.Get(d)
				f := diagnose.Finding{
					Subject: d, Explains: []diagnose.Key{o.Key}, At: diagnose.Locus{Key: o.Key, Field: []string{"spec", "dependsOn"}},
					Evidence: []diagnose.Evidence{condition(o, "Ready")}, Commands: diagnose.Show(d, o.Key), Confidence: diagnose.Medium,
				}
				switch {
				case target == nil && s.Missing(d):
					f.Sentence = diagnose.RefOf(d).String() + ", which " + o.Ref().String() + " depends on, does not exist."
					f.At.Text, f.Confidence = d.Name, diagnose.High
					f.Evidence = append(f.Evidence, absent(d))
				case target != nil && s.Acute(target):
					f.Sentence = diagnose.RefOf(d).String() + ", which " + o.Ref().String() + " depends on, is not ready."
					f.At = diagnose.Locus{Key: d}
					f.Evidence = append(f.Evidence, trouble(s, target))
				default:
					continue
				}
				s.Report(f)
			}
		}
	},
}
