package causes

import (
	"strings"

	"hearth/internal/diagnose"
)

var retriesExhausted = &diagnose.Cause{
	Name:     "retries-exhausted",
	Title:    "A release is out of retries",
	Symptom:  "A HelmRelease is Failed and is not tried again.",
	Evidence: "The Stalled condition says RetriesExceeded, and what made it fail is no longer to be seen.",
	Why:      "After the last retry a release waits for a person: a new spec, new values, another chart, or a forced reconcile.",
	Fix:      "Once its reason is gone, reset the release: hearth reconcile helmrelease/NAME --reset --force (flux reconcile helmrelease NAME --reset --force).",
	Section:  "Retry Behavior", Yields: true,
	Find: func(s *diagnose.Search) {
		for _, o := range s.All(diagnose.HelmRelease) {
			stalled := o.Condition("Stalled")
			if s.Trouble(o) == nil || !stalled.True() || stalled.Reason != "RetriesExceeded" && !strings.Contains(stalled.Message, "retries") {
				continue
			}
			s.Report(diagnose.Finding{
				Subject: o.Key, Sentence: o.Ref().String() + " has used up its retries and waits for a person.", Confidence: diagnose.Medium,
				Evidence: []diagnose.Evidence{condition(o, "Stalled"), condition(o, "Ready")},
				Commands: append(diagnose.Show(o.Key), "flux reconcile helmrelease "+o.Name+" -n "+o.Namespace+" --reset --force"),
			})
		}
	},
}
