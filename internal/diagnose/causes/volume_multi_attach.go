package causes

import (
	"regexp"

	"hearth/internal/diagnose"
	"hearth/internal/observe"
)

var multiAttach = &diagnose.Cause{
	Name:     "volume-multi-attach",
	Title:    "A volume is still attached to another node",
	Symptom:  "A pod stays in ContainerCreating after it moved to another node.",
	Evidence: "The event FailedAttachVolume says that the pod waits for a detach, or Multi-Attach error before Kubernetes 1.37, and none says that it was attached since.",
	Why:      "A volume that one node may write can be attached to one node at a time: the old pod still holds it, or its node was lost.",
	Fix:      "Delete the old pod; taint a lost node that is really off with node.kubernetes.io/out-of-service. Set the workload's strategy to Recreate in the values, so that the old pod ends first.",
	Find: func(s *diagnose.Search) {
		for _, p := range s.All(diagnose.Pod) {
			h, waits := waitsForDetach(s, p)
			if !waits {
				continue
			}
			git := subject(s, p)
			s.Report(diagnose.Finding{
				Subject: git.Key, Explains: []diagnose.Key{p.Key}, At: diagnose.Locus{Key: git.Key, Text: "strategy", Field: []string{"spec", "values", "controllers"}},
				Sentence: "A volume of " + p.Ref().String() + " is still attached to another node.", Evidence: []diagnose.Evidence{event(h)},
				Commands: append(diagnose.Show(p.Key), "kubectl get volumeattachment"),
			})
		}
	},
	Yields: true,
}

// attachedElsewhere is how the attach-detach controller says it, since 1.37
// and before.
var attachedElsewhere = regexp.MustCompile(`^(?:Waiting for detach|Multi-Attach error) for volume "`)

// waitsForDetach reports whether a pod waits for a volume that another node has,
// and the event that says so.
func waitsForDetach(s *diagnose.Search, pod *diagnose.Object) (observe.Happening, bool) {
	refused, ok := eventOf(s, pod.Key, attachedElsewhere, "FailedAttachVolume")
	if !ok || s.Trouble(pod) == nil {
		return refused, false
	}
	attached, ok := eventOf(s, pod.Key, nil, "SuccessfulAttachVolume")
	return refused, !ok || !attached.Time.After(refused.Time)
}
