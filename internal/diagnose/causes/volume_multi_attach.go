package causes

import (
	"regexp"

	"hearth/internal/diagnose"
)

var multiAttach = &diagnose.Cause{
	Name:     "volume-multi-attach",
	Title:    "A volume is still attached to another node",
	Symptom:  "A pod stays in ContainerCreating after it moved to another node.",
	Evidence: "The event FailedAttachVolume says Multi-Attach error.",
	Why:      "A volume that one node may write can be attached to one node at a time: the old pod still holds it, or its node was lost.",
	Fix:      "Delete the old pod, or the lost node; set the workload's strategy to Recreate in the values, so that the old pod ends first.",
	Find: func(s *diagnose.Search) {
		for _, p := range s.All(diagnose.Pod) {
			h, ok := eventOf(s, p.Key, attachedElsewhere, "FailedAttachVolume")
			if s.Trouble(p) == nil || !ok {
				continue
			}
			git := subject(s, p)
			s.Report(diagnose.Finding{
				Subject: git.Key, Explains: []diagnose.Key{p.Key}, At: diagnose.Locus{Key: git.Key, Text: "strategy"},
				Sentence: "A volume of " + p.Ref().String() + " is still attached to another node.", Evidence: []diagnose.Evidence{event(h)},
				Commands: append(diagnose.Show(p.Key), "kubectl get volumeattachment"),
			})
		}
	},
	Yields: true,
}

var attachedElsewhere = regexp.MustCompile(`Multi-Attach error`)
