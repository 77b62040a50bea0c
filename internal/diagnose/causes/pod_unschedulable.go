package causes

import (
	"regexp"
	"strings"

	"hearth/internal/diagnose"
)

var unschedulable = &diagnose.Cause{
	Name:     "pod-unschedulable",
	Title:    "No node suits the pod",
	Symptom:  "A pod stays Pending.",
	Evidence: "The scheduler says in the pod's PodScheduled condition why no node fits: affinity, taints, resources.",
	Why:      "A pod is only given to a node that its selectors, tolerations and requests fit.",
	Fix:      "Correct nodeSelector or affinity, tolerate the taint, or ask for less in the release's values; or label the node.",
	Section:  "Pod Lifecycle", Yields: true,
	Unless: []string{"storage-class-missing", "storage-full", "claim-unbound"},
	Find: func(s *diagnose.Search) {
		for _, p := range s.All(diagnose.Pod) {
			c := p.Condition("PodScheduled")
			if s.Trouble(p) == nil || !c.False() || c.Reason != "Unschedulable" || unboundClaim.MatchString(c.Message) {
				continue
			}
			git := subject(s, p)
			at := diagnose.Locus{Key: git.Key}
			switch {
			case strings.Contains(c.Message, "affinity/selector"):
				at.Text = "nodeSelector"
				if p.Has("spec", "affinity") {
					at.Text = "affinity"
				}
			case strings.Contains(c.Message, "Insufficient"):
				at.Text = "requests"
			}
			s.Report(diagnose.Finding{
				Subject: git.Key, Explains: []diagnose.Key{p.Key}, At: at,
				Sentence: "No node suits " + p.Ref().String() + ".", Evidence: []diagnose.Evidence{condition(p, "PodScheduled")},
				Commands: append(diagnose.Show(p.Key), "kubectl get nodes --show-labels"),
			})
		}
	},
}

// unboundClaim is how the scheduler says that a claim is what a pod waits for.
var unboundClaim = regexp.MustCompile(`unbound immediate PersistentVolumeClaims|persistentvolumeclaim "[^"]*" (?:not found|is being deleted)|didn't find available persistent volumes`)

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
