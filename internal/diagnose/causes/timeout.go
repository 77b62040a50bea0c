package causes

import (
	"fmt"
	"regexp"
	"strings"

	"hearth/internal/diagnose"
)

var timeout = &diagnose.Cause{
	Name:     "timeout",
	Title:    "Time ran out",
	Symptom:  "A HelmRelease is Reconciling for more than five minutes, or Failed; or a Kustomization's health check fails.",
	Evidence: "Helm or the health check says that its deadline was exceeded, while nothing that it waits for has failed.",
	Why:      "A large image over a slow line, slow storage, or a long migration takes more time than spec.timeout allows.",
	Fix:      "Raise spec.timeout, in the HelmRelease or in the Kustomization that waits.",
	Section:  "HelmRelease Stuck Reconciling", Scenario: "Timeout", Yields: true,
	Find: func(s *diagnose.Search) {
		for _, o := range s.All(appliers...) {
			ready := o.Condition("Ready")
			ran := o.Condition("Reconciling")
			over := expired.MatchString(ready.Message) || expired.MatchString(o.Condition("Released").Message)
			long := strings.HasPrefix(ran.Message, "Running ") && s.Acute(o)
			if s.Trouble(o) == nil || s.Trouble(o).State == diagnose.StateSuspended || !over && !long {
				continue
			}
			f := diagnose.Finding{
				Subject: o.Key, At: diagnose.Locus{Key: o.Key, Field: []string{"spec", "timeout"}}, Confidence: diagnose.Medium,
				Sentence: fmt.Sprintf("%s did not become ready within %s.", o.Ref(), or(o.Text("spec", "timeout"), "its timeout")),
				Evidence: []diagnose.Evidence{trouble(s, o)}, Commands: diagnose.Show(o.Key),
			}
			for _, p := range s.Released(o.Key) {
				if s.Trouble(p) == nil {
					continue
				}
				f.Explains = append(f.Explains, p.Key)
				if workload := s.Workload(p); workload != nil && s.Trouble(workload) != nil {
					f.Explains = append(f.Explains, workload.Key)
				}
				if len(f.Evidence) < 4 {
					f.Evidence = append(f.Evidence, trouble(s, p))
				}
			}
			s.Report(f)
		}
	},
}

var expired = regexp.MustCompile(`context deadline exceeded|timed out waiting|timeout waiting|client rate limiter Wait returned an error`)
