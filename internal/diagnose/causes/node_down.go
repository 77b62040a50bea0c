package causes

import (
	"slices"

	"hearth/internal/diagnose"
)

var nodeDown = &diagnose.Cause{
	Name:     "node-down",
	Title:    "A node does not answer",
	Symptom:  "The pods of one node are not ready, or are stuck in Terminating.",
	Evidence: "The node's Ready condition is Unknown or False.",
	Why:      "A node whose kubelet has stopped posting its status is taken to be lost; what ran there is evicted after five minutes, unless its volumes hold it.",
	Fix:      "Bring the node back: power, network, kubelet. Where it stays away, delete the Node so that its volumes are let go.",
	Find: func(s *diagnose.Search) {
		for _, n := range s.All(diagnose.Node) {
			c := n.Condition("Ready")
			if c.Type == "" || c.True() {
				continue
			}
			s.Report(diagnose.Finding{
				Subject: n.Key, Explains: append(podsOn(s, n), heldBy(s, n)...), Sentence: "Node " + n.Name + " does not answer.",
				Evidence: []diagnose.Evidence{condition(n, "Ready")}, Commands: append(diagnose.Show(n.Key), "kubectl get pods -A --field-selector spec.nodeName="+n.Name),
			})
		}
	},
}

// heldBy returns the pods that wait elsewhere for a volume which a pod of the
// node still has.
func heldBy(s *diagnose.Search, n *diagnose.Object) []diagnose.Key {
	var keys []diagnose.Key
	for _, claim := range s.All(diagnose.Claim) {
		users := s.ClaimUsers(claim)
		if !slices.ContainsFunc(users, func(p *diagnose.Object) bool { return p.Text("spec", "nodeName") == n.Name }) {
			continue
		}
		for _, p := range users {
			if _, waits := waitsForDetach(s, p); waits {
				keys = append(keys, p.Key)
			}
		}
	}
	return keys
}
