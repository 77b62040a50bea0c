package routing

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
	"hearth/internal/rule"
)

var routeParent = &rule.Rule{
	Name:     "route-parent",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "Every parentRef of a route names a gateway, and a listener of it, that exists",
	Why: "A route whose parent does not exist is applied without complaint and serves nothing: no gateway answers for it, and " +
		"no DNS record is made. A wrong namespace, which is the route's own where none is written, is the usual reason.",
	Remedy: "Write name and namespace of the Gateway as they stand in the tree, and as sectionName the name of one of its " +
		"listeners, or leave sectionName out to attach to all of them.",
	Section: "HTTPRoute Specification",
	Bad: `parentRefs:
  - name: envoy-internal # the gateway is in another namespace
    sectionName: web     # and has no such listener
`,
	Good: `parentRefs:
  - name: envoy-internal
    namespace: network
    sectionName: https
`,
	Check: func(p *rule.Pass) {
		for _, c := range p.Clusters {
			n := newNetwork(c)
			if len(n.gateways) == 0 && len(n.routes) > 0 {
				p.Note("no Gateway stands in the tree of cluster " + c.Name + ": whether the parents of its routes exist cannot be told")
			}
			for _, r := range n.routes {
				for i, ref := range r.parents {
					n.checkParent(p, r, i, ref)
				}
			}
		}
	},
}

func (n *network) checkParent(p *rule.Pass, r *route, i int, ref gatewayv1.ParentReference) {
	key := parentKey(r.GetNamespace(), ref)
	if !isParent(parentGroup(ref), key.Kind) {
		return
	}
	if n.hasParent(r, parentGroup(ref), key) == missing {
		n.reportParent(p, r, i, key)
		return
	}
	a := n.attach(r, ref)
	if a == nil || a.gateway.open || len(a.named) > 0 || n.State.Unknown(sectionOf(ref)) {
		return
	}
	n.reportSection(p, r, i, ref, a.gateway)
}

// isParent reports whether a kind is one that routes attach to by the Gateway
// API itself. Whether others exist is for their own controllers to say.
func isParent(group, kind string) bool {
	switch group {
	case gatewayGroup:
		return kind == "Gateway" || kind == "ListenerSet"
	case experimentalGroup:
		return kind == "XListenerSet"
	case "":
		return kind == "Service"
	}
	return false
}

func (n *network) reportParent(p *rule.Pass, r *route, i int, key domain.Ref) {
	at := []string{"parentRefs", index(i), "name"}
	finding := rule.Finding{
		Place: r.place(at...), Text: r.text(at...), Object: r.Ref,
		Message: fmt.Sprintf("nothing makes the %s: the route would not be attached, and serve nothing", key),
	}
	if meant, ok := nearest(key, slices.Collect(maps.Keys(n.gateways))); ok {
		finding.Fix = fmt.Sprintf("write name: %s, namespace: %s", meant.Name, meant.Namespace)
		if meant.Name == key.Name {
			finding.Fix = "write namespace: " + meant.Namespace
		}
	}
	p.Report(finding)
}

func (n *network) reportSection(p *rule.Pass, r *route, i int, ref gatewayv1.ParentReference, g *gateway) {
	what, field := "port "+portOf(ref), "port"
	if section := sectionOf(ref); section != "" {
		what, field = "the name "+section, "sectionName"
		if ref.Port != nil {
			what += " and port " + portOf(ref)
		}
	}
	at := []string{"parentRefs", index(i), field}
	var names []string
	for _, l := range g.listeners {
		names = append(names, fmt.Sprintf("%s (port %d)", l.Name, l.Port))
	}
	p.Report(rule.Finding{
		Place: r.place(at...), Text: r.text(at...), Object: r.Ref,
		Message: fmt.Sprintf("the %s has no listener of %s: the route would not be attached", g.Ref, what),
		Fix:     "write one of " + strings.Join(names, ", "),
	})
}

func sectionOf(ref gatewayv1.ParentReference) string {
	if ref.SectionName == nil {
		return ""
	}
	return string(*ref.SectionName)
}

func portOf(ref gatewayv1.ParentReference) string {
	if ref.Port == nil {
		return ""
	}
	return fmt.Sprint(*ref.Port)
}
