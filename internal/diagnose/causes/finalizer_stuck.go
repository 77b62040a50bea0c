package causes

import (
	"strings"

	"hearth/internal/diagnose"
)

var finalizerStuck = &diagnose.Cause{
	Name:     "finalizer-stuck",
	Title:    "Something was deleted, and a finalizer keeps it",
	Symptom:  "An object or a namespace stays Terminating.",
	Evidence: "The object has had a deletionTimestamp for more than five minutes, and finalizers are left; or the namespace says what remains in it.",
	Why:      "A finalizer is taken off by the controller that set it, once it has cleaned up. If that is gone, or fails, the object stays.",
	Fix:      "Bring the controller of the finalizer back, so that it cleans up. Only where it is gone for good, take the finalizer off by hand: what it guards is then left behind.",
	Yields:   true,
	Find: func(s *diagnose.Search) {
		for _, o := range s.All(diagnose.Kinds...) {
			since, deleting := o.Deleting()
			finalizers := append(o.Texts("metadata", "finalizers"), o.Texts("spec", "finalizers")...)
			if !deleting || s.Trouble(o) == nil || len(finalizers) == 0 {
				continue
			}
			f := diagnose.Finding{
				Subject: o.Key, Sentence: o.Ref().String() + " was deleted, and " + strings.Join(finalizers, ", ") + " keeps it.", Confidence: diagnose.Medium,
				Evidence: []diagnose.Evidence{{Object: o.Ref(), Field: "metadata.deletionTimestamp", Text: "deleted, and not gone", Time: since}}, Commands: diagnose.Show(o.Key),
			}
			for _, kind := range []string{"NamespaceContentRemaining", "NamespaceFinalizersRemaining"} {
				if o.Condition(kind).True() {
					f.Evidence = append(f.Evidence, condition(o, kind))
				}
			}
			s.Report(f)
		}
	},
}
