package causes

import (
	"regexp"

	"hearth/internal/diagnose"
)

var nodePressure = &diagnose.Cause{
	Name:     "node-pressure",
	Title:    "A node runs out of disk, memory or processes",
	Symptom:  "Pods are Evicted, or stay Pending.",
	Evidence: "The node's condition DiskPressure, MemoryPressure or PIDPressure is True.",
	Why:      "A kubelet under pressure evicts pods and takes no new ones.",
	Fix:      "Free or add what the node lacks; set requests and limits where an application takes too much.",
	Find: func(s *diagnose.Search) {
		for _, n := range s.All(diagnose.Node) {
			for _, kind := range diagnose.Pressures {
				if c := n.Condition(kind); c.True() {
					s.Report(diagnose.Finding{
						Subject: n.Key, Explains: append(podsOn(s, n), evicted(s)...), Sentence: "Node " + n.Name + " has " + kind + ".",
						Evidence: []diagnose.Evidence{condition(n, kind)}, Commands: diagnose.Show(n.Key),
					})
				}
			}
		}
	},
}

// podsOn returns the pods of a node that are in trouble.
func podsOn(s *diagnose.Search, n *diagnose.Object) []diagnose.Key {
	var keys []diagnose.Key
	for _, p := range s.All(diagnose.Pod) {
		if p.Text("spec", "nodeName") == n.Name && s.Trouble(p) != nil && lostWith(s, p) {
			keys = append(keys, p.Key)
		}
	}
	return keys
}

// lostWith reports whether a pod's trouble is of the kind that a node makes: a
// pod that crashes or misses a Secret does so by itself.
func lostWith(s *diagnose.Search, p *diagnose.Object) bool {
	switch s.Trouble(p).State {
	case "CrashLoop", "WaitingSecrets", "PullingImages":
		return false
	}
	return p.Text("status", "phase") != "Failed" || p.Text("status", "reason") == "Evicted" || p.Text("status", "reason") == "NodeLost"
}

// evicted returns the pending pods that the scheduler keeps from a node under
// pressure.
func evicted(s *diagnose.Search) []diagnose.Key {
	var keys []diagnose.Key
	for _, p := range s.All(diagnose.Pod) {
		if p.Text("spec", "nodeName") == "" && s.Trouble(p) != nil && pressed.MatchString(p.Condition("PodScheduled").Message) {
			keys = append(keys, p.Key)
		}
	}
	return keys
}

// pressed is how the scheduler says that pressure keeps a node from being used.
var pressed = regexp.MustCompile(`node\.kubernetes\.io/(?:disk|memory|pid)-pressure|network-unavailable`)
