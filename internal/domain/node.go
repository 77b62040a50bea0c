package domain

// The states of a Node.
const (
	NodeJoining     State = "Joining"
	NodeReady       State = "Ready"
	NodeCordoned    State = "Cordoned"
	NodePressure    State = "Pressure"
	NodeNotReady    State = "NotReady"
	NodeUnreachable State = "Unreachable"
	NodeDeleting    State = "Deleting"
)

// nodeEdges are what happens to a node that has joined, whichever of these
// states it is in.
var nodeEdges = []Transition{
	{To: NodeReady, Trigger: "kubelet says that it is well"},
	{To: NodeCordoned, Trigger: "closed for new pods by hand"},
	{To: NodePressure, Trigger: "memory, disk or process numbers run short"},
	{To: NodeNotReady, Trigger: "kubelet says that it is not well"},
	{To: NodeUnreachable, Trigger: "kubelet has fallen silent"},
	{To: NodeDeleting, Trigger: "deleted"},
}

var nodeMachine = Machine{
	Name:    "node",
	Kind:    "Node",
	Meaning: "how a machine comes to take pods, and when it does not",
	Initial: NodeJoining,
	States: []StateInfo{
		{State: NodeJoining, Meaning: "registered; its kubelet or its network is not up yet"},
		{State: NodeReady, Meaning: "takes pods", Ready: true},
		{State: NodeCordoned, Meaning: "runs its pods and takes no new ones", Ready: true},
		{State: NodePressure, Meaning: "short of memory, disk or processes: pods are evicted", Failed: true},
		{State: NodeNotReady, Meaning: "its kubelet runs and says that it cannot take pods", Failed: true},
		{State: NodeUnreachable, Meaning: "its kubelet does not answer; its pods are moved after five minutes", Failed: true},
		{State: NodeDeleting, Meaning: "being removed", Terminal: true},
	},
	Transitions: nodeTransitions(),
}

func nodeTransitions() []Transition {
	list := []Transition{{From: Absent, To: NodeJoining, Trigger: "registered"}}
	for _, from := range []State{NodeJoining, NodeReady, NodeCordoned, NodePressure, NodeNotReady, NodeUnreachable} {
		for _, e := range nodeEdges {
			if e.To == from {
				continue
			}
			e.From = from
			list = append(list, e)
		}
	}
	return append(list, Transition{From: NodeDeleting, To: Absent, Trigger: "removed"})
}
