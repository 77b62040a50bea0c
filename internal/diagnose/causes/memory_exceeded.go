package causes

import (
	"fmt"

	"hearth/internal/diagnose"
)

var memoryExceeded = &diagnose.Cause{
	Name:     "memory-exceeded",
	Title:    "A container needs more memory than it may use",
	Symptom:  "A pod restarts over and over.",
	Evidence: "The container was last ended as OOMKilled.",
	Why:      "The kernel ends what exceeds its memory limit.",
	Fix:      "Raise resources.limits.memory in the release's values.",
	Section:  "Pod Lifecycle",
	Find: func(s *diagnose.Search) {
		for _, w := range waits(s) {
			if w.lastReason != "OOMKilled" {
				continue
			}
			git := subject(s, w.pod)
			limit := ""
			if spec := containerSpec(w.pod, w.container); spec != nil {
				limit = spec.Text("resources", "limits", "memory")
			}
			s.Report(diagnose.Finding{
				Subject: git.Key, Explains: []diagnose.Key{w.pod.Key}, At: diagnose.Locus{Key: git.Key, Text: "limits"},
				Sentence: fmt.Sprintf("Container %s of %s was ended for want of memory (limit %s), %d times.", w.container, git.Ref(), or(limit, "not set: the node's"), w.restarts),
				Evidence: []diagnose.Evidence{field(w.pod, "container "+w.container, "OOMKilled")}, Commands: diagnose.Show(w.pod.Key),
			})
		}
	},
}
