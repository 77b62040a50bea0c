package causes

import (
	"strings"

	"hearth/internal/diagnose"
)

var probeFailing = &diagnose.Cause{
	Name:     "probe-failing",
	Title:    "A probe fails",
	Symptom:  "A pod runs and is not ready, or is restarted although it does not crash.",
	Evidence: "The kubelet's Unhealthy events say which probe fails, and how.",
	Why:      "A startup or liveness probe that fails ends the container; a readiness probe that fails keeps traffic away.",
	Fix:      "Correct the probe's port and path in the values, or give the application more time to start.",
	Section:  "Pod Lifecycle", Yields: true,
	Unless: []string{"memory-exceeded", "database-unreachable"},
	Find: func(s *diagnose.Search) {
		for _, p := range s.All(diagnose.Pod) {
			if !s.Acute(p) {
				continue
			}
			h, ok := eventOf(s, p.Key, nil, "Unhealthy")
			if !ok {
				continue
			}
			git := subject(s, p)
			kind, _, _ := strings.Cut(h.Message, " probe")
			s.Report(diagnose.Finding{
				Subject: git.Key, Explains: []diagnose.Key{p.Key}, At: diagnose.Locus{Key: git.Key, Text: "probes"}, Confidence: diagnose.Medium,
				Sentence: "The " + strings.ToLower(kind) + " probe of " + p.Ref().String() + " fails.",
				Evidence: []diagnose.Evidence{event(h)}, Commands: diagnose.Show(p.Key),
			})
		}
	},
}
