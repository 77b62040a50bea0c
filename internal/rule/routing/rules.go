// Package routing holds the rules on how requests reach applications: the
// hostnames of routes, the gateways that they attach to and whether those let
// them, the Services behind them, and who can reach what.
//
// The Gateway API decides. A gateway, a Service or a namespace that a chart
// that is not at hand may make, and a text that holds a value nobody knows from
// the tree, are no findings. Who is to reach an application is what the owner
// declares in .hearth.yaml; no application is judged by its name.
package routing

import "hearth/internal/rule"

// Rules are the rules of the topic routing.
var Rules = []*rule.Rule{
	routeHostname,
	routeParent,
	routeGrant,
	routeBackend,
	gatewayExposure,
}

const topic = "routing"
