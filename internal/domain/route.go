package domain

// The states of an HTTPRoute.
const (
	RoutePending  State = "Pending"
	RouteReady    State = "Ready"
	RouteFailed   State = "Failed"
	RouteDeleting State = "Deleting"
)

var routeMachine = Machine{
	Name:    "httproute",
	Kind:    "HTTPRoute",
	Meaning: "how a hostname comes to lead to a Service; Ready says that its gateways took it, not that DNS knows the name",
	Initial: RoutePending,
	States: []StateInfo{
		{State: RoutePending, Meaning: "a gateway has yet to answer"},
		{State: RouteReady, Meaning: "every gateway accepted it and found its backends", Ready: true},
		{State: RouteFailed, Meaning: "a gateway refused it, or a backend does not exist", Failed: true},
		{State: RouteDeleting, Meaning: "being deleted", Terminal: true},
	},
	Transitions: []Transition{
		{From: Absent, To: RoutePending, Trigger: "created"},
		{From: RoutePending, To: RouteReady, Trigger: "accepted, references resolved", Duration: Duration{Nature: Seconds}},
		{From: RoutePending, To: RouteFailed, Trigger: "no listener fits, or a reference is wrong"},
		{From: RouteReady, To: RouteFailed, Trigger: "backend or listener gone"},
		{From: RouteFailed, To: RouteReady, Trigger: "mended"},
		{From: RouteReady, To: RoutePending, Trigger: "another gateway named, or its answer withdrawn"},
		{From: RouteFailed, To: RoutePending, Trigger: "another gateway named, or its answer withdrawn"},
		{From: RoutePending, To: RouteDeleting, Trigger: "deleted"},
		{From: RouteReady, To: RouteDeleting, Trigger: "deleted"},
		{From: RouteFailed, To: RouteDeleting, Trigger: "deleted"},
		{From: RouteDeleting, To: Absent, Trigger: "cleaned up"},
	},
}
