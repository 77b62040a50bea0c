package routing

import (
	"k8s.io/apimachinery/pkg/runtime"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

// The groups of the Gateway API.
const (
	gatewayGroup      = gatewayv1.GroupName
	experimentalGroup = "gateway.networking.x-k8s.io"
)

// network is what a cluster's routing is made of.
type network struct {
	*rule.Cluster
	routes []*route
	// gateways are those that requests come in by, by their names; ListenerSets
	// are among them.
	gateways map[domain.Ref]*gateway
}

// gateway is a Gateway or a ListenerSet.
type gateway struct {
	*desired.Object
	listeners []listener
	// open says that there may be listeners which the object does not name.
	open bool
}

// listener is one listener of a gateway.
type listener struct {
	gatewayv1.Listener
	gateway *gateway
	// path leads to it in the gateway.
	path []string
}

// newNetwork reads the gateways and routes of a cluster.
func newNetwork(c *rule.Cluster) *network {
	n := &network{Cluster: c, gateways: map[domain.Ref]*gateway{}}
	for o := range c.State.All() {
		gvk := o.GroupVersionKind()
		if gvk.Group != gatewayGroup && gvk.Group != experimentalGroup || c.State.Find(gvk.Group, gvk.Kind, o.GetNamespace(), o.GetName()) != o {
			continue
		}
		switch gvk.Kind {
		case "Gateway", "ListenerSet", "XListenerSet":
			n.gateways[o.Ref] = readGateway(o)
		case "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute":
			if r := readRoute(o); r != nil {
				n.routes = append(n.routes, r)
			}
		}
	}
	n.openGateways()
	return n
}

// openGateways marks the gateways that a ListenerSet adds listeners to.
func (n *network) openGateways() {
	for _, set := range n.gateways {
		var spec struct {
			ParentRef gatewayv1.ParentReference `json:"parentRef"`
		}
		if set.GetKind() == "Gateway" || !decode(set.Object.Object["spec"], &spec) {
			continue
		}
		ref := spec.ParentRef
		if g := n.gateways[parentKey(set.GetNamespace(), gatewayv1.ParentReference{Namespace: ref.Namespace, Name: ref.Name})]; g != nil {
			g.open = true
		}
	}
}

// readGateway reads the listeners. What cannot be read, the API server would
// refuse; nothing more is said about it.
func readGateway(o *desired.Object) *gateway {
	g := &gateway{Object: o}
	var spec struct {
		Listeners []gatewayv1.Listener `json:"listeners"`
	}
	if !decode(o.Object["spec"], &spec) {
		g.open = true
		return g
	}
	for i, l := range spec.Listeners {
		g.listeners = append(g.listeners, listener{Listener: l, gateway: g, path: []string{"spec", "listeners", index(i)}})
	}
	return g
}

// decode reads a part of an object, and reports whether it has the right shape.
func decode(content any, into any) bool {
	m, ok := content.(map[string]any)
	return ok && runtime.DefaultUnstructuredConverter.FromUnstructured(m, into) == nil
}

// parentKey returns the name of what a parent reference leads to.
func parentKey(namespace string, ref gatewayv1.ParentReference) domain.Ref {
	key := domain.Ref{Kind: "Gateway", Namespace: namespace, Name: string(ref.Name)}
	if ref.Kind != nil {
		key.Kind = string(*ref.Kind)
	}
	if ref.Namespace != nil && *ref.Namespace != "" {
		key.Namespace = string(*ref.Namespace)
	}
	return key
}

// parentGroup returns the group of what a parent reference leads to.
func parentGroup(ref gatewayv1.ParentReference) string {
	if ref.Group == nil {
		return gatewayGroup
	}
	return string(*ref.Group)
}

// existence tells what is known of an object that another one names.
type existence int

const (
	// missing: surely nothing makes it.
	missing existence = iota
	// uncertain: something may make it that nobody has at hand.
	uncertain
	// certain: it, or what makes it, is there.
	certain
)

// exists tells whether there is an object that another one names, and which
// one makes it.
func (n *network) exists(by *desired.Object, group string, key domain.Ref) (*desired.Object, existence) {
	found := n.Graph.Resolve(by, graph.Reference{Group: group, Kind: key.Kind, Namespace: key.Namespace, Name: key.Name})
	switch {
	case found.Missing:
		return nil, missing
	case found.Doubt != "":
		return nil, uncertain
	}
	return found.By, certain
}

// hasParent tells whether there is what a parent reference names. Gateways are
// told apart from other custom kinds: where the tree has some, it has all.
func (n *network) hasParent(r *route, group string, key domain.Ref) existence {
	if group != gatewayGroup && group != experimentalGroup {
		_, e := n.exists(r.Object, group, key)
		return e
	}
	if _, known := n.Graph.Provider(group, key.Kind, key.Namespace, key.Name); known {
		return certain
	}
	if _, doubt := n.Graph.DoubtAbout(key.Kind, key.Namespace, key.Name); doubt || len(n.gateways) == 0 {
		return uncertain
	}
	return missing
}
