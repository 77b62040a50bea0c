package causes

import (
	"hearth/internal/diagnose"
)

var definitionMissing = &diagnose.Cause{
	Name:     "definition-missing",
	Title:    "A kind is not defined in the cluster",
	Symptom:  "A Kustomization or HelmRelease is Failed, and nothing of it is applied.",
	Evidence: "The API server knows no such kind, and the cluster has no CustomResourceDefinition for it.",
	Why:      "Objects of a kind can be made once its definition is there, which its operator's chart brings. One unknown kind fails the whole apply.",
	Fix:      "Install what brings the definition, and depend on it in the Kustomization's dependsOn.",
	Yields:   true,
	Find:     func(s *diagnose.Search) { findKinds(s, false) },
}
