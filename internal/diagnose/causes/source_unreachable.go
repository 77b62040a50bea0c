package causes

import (
	"hearth/internal/diagnose"
)

var sourceUnreachable = &diagnose.Cause{
	Name:     "source-unreachable",
	Title:    "A source cannot be reached",
	Symptom:  "Git, a Helm repository or a registry of charts is not ready; nothing new arrives, and what is new is never applied.",
	Evidence: "The source's Ready condition says that its host does not answer.",
	Why:      "The server is down, or the cluster's DNS or way out is.",
	Fix:      "Wait for the server, or repair the cluster's DNS and way out; correct spec.url where the host is wrong.",
	Yields:   true,
	Unless:   []string{"source-authentication", "chart-missing"},
	Find: func(s *diagnose.Search) {
		matching(s, unreachableSource, diagnose.Sources, func(c complaint, _ []string) {
			host := hostOf(s, c.object)
			reportSource(s, c, "cannot be reached", diagnose.Locus{Key: c.object.Key, Field: []string{"spec", "url"}}, diagnose.Key{Kind: "Host", Name: host})
		})
	},
}
