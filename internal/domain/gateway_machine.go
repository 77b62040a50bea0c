package domain

// The states of a Gateway.
const (
	GatewayPending     State = "Pending"
	GatewayProgramming State = "Programming"
	GatewayReady       State = "Ready"
	GatewayDegraded    State = "Degraded"
	GatewayFailed      State = "Failed"
	GatewayDeleting    State = "Deleting"
)

var gatewayMachine = Machine{
	Name:    "gateway",
	Kind:    "Gateway",
	Meaning: "how an address comes to take in traffic; what is routed from there is told by the routes",
	Initial: GatewayPending,
	States: []StateInfo{
		{State: GatewayPending, Meaning: "no controller has taken it yet"},
		{State: GatewayProgramming, Meaning: "accepted; its address or its proxies are not there yet"},
		{State: GatewayReady, Meaning: "it has an address, and all listeners serve", Ready: true},
		{State: GatewayDegraded, Meaning: "it serves, but a listener cannot: its certificate or its port", Failed: true},
		{State: GatewayFailed, Meaning: "refused by its controller, or its address cannot be used", Failed: true},
		{State: GatewayDeleting, Meaning: "being deleted", Terminal: true},
	},
	Transitions: []Transition{
		{From: Absent, To: GatewayPending, Trigger: "created"},
		{From: GatewayPending, To: GatewayProgramming, Trigger: "accepted", Duration: Duration{Nature: Seconds}},
		{From: GatewayPending, To: GatewayFailed, Trigger: "class or parameters refused"},
		{From: GatewayProgramming, To: GatewayReady, Trigger: "address assigned, proxies up"},
		{From: GatewayProgramming, To: GatewayDegraded, Trigger: "address assigned, a listener cannot serve"},
		{From: GatewayProgramming, To: GatewayFailed, Trigger: "address cannot be used"},
		{From: GatewayReady, To: GatewayProgramming, Trigger: "spec changed, or proxies lost"},
		{From: GatewayReady, To: GatewayDegraded, Trigger: "certificate or port lost"},
		{From: GatewayReady, To: GatewayFailed, Trigger: "refused"},
		{From: GatewayDegraded, To: GatewayReady, Trigger: "mended"},
		{From: GatewayDegraded, To: GatewayProgramming, Trigger: "spec changed, or proxies lost"},
		{From: GatewayDegraded, To: GatewayFailed, Trigger: "refused"},
		{From: GatewayFailed, To: GatewayProgramming, Trigger: "mended"},
		{From: GatewayFailed, To: GatewayPending, Trigger: "another class named"},
		{From: GatewayPending, To: GatewayDeleting, Trigger: "deleted"},
		{From: GatewayProgramming, To: GatewayDeleting, Trigger: "deleted"},
		{From: GatewayReady, To: GatewayDeleting, Trigger: "deleted"},
		{From: GatewayDegraded, To: GatewayDeleting, Trigger: "deleted"},
		{From: GatewayFailed, To: GatewayDeleting, Trigger: "deleted"},
		{From: GatewayDeleting, To: Absent, Trigger: "cleaned up"},
	},
}
