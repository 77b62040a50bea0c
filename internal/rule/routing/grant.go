package routing

import (
	"fmt"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
	"hearth/internal/rule"
)

var routeGrant = &rule.Rule{
	Name:     "route-grant",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "Routes attach to listeners that take them, and a ReferenceGrant allows what crosses namespaces",
	Why: "A listener says in allowedRoutes which namespaces and kinds of routes it takes; its own namespace only, where it says " +
		"nothing. A Service or a certificate of another namespace can only be used where a ReferenceGrant in that namespace " +
		"allows it. What is not allowed is not attached, or answers with an error, and nothing fails when it is applied.",
	Remedy: "Set the listener's allowedRoutes.namespaces.from to All, or to a selector that finds the route's namespace, and name " +
		"the route's kind. For a Service or certificate elsewhere, add a ReferenceGrant beside it, or move the route there.",
	Section: "HTTPRoute Specification",
	Bad: `listeners:
  - name: https
    protocol: HTTPS
    port: 443 # takes routes of the gateway's own namespace only
`,
	Good: `listeners:
  - name: https
    protocol: HTTPS
    port: 443
    allowedRoutes:
      namespaces:
        from: All
`,
	Check: func(p *rule.Pass) {
		for _, c := range p.Clusters {
			n := newNetwork(c)
			grants := n.readGrants()
			for _, r := range n.routes {
				for i, ref := range r.parents {
					n.checkAllowed(p, r, i, ref)
				}
				for at, b := range r.backends {
					n.checkBackendGrant(p, grants, r, at, b)
				}
			}
			for _, g := range n.gateways {
				n.checkCertificateGrants(p, grants, g)
			}
		}
	},
}

// checkAllowed reports a parent none of whose listeners takes the route.
func (n *network) checkAllowed(p *rule.Pass, r *route, i int, ref gatewayv1.ParentReference) {
	a := n.attach(r, ref)
	if a == nil || !a.known || len(a.named) == 0 || len(a.allowed) > 0 {
		return
	}
	var reasons []string
	for _, l := range a.named {
		reasons = append(reasons, fmt.Sprintf("%s takes %s", l.Name, n.takes(l, r)))
	}
	at := []string{"parentRefs", index(i), "name"}
	finding := rule.Finding{
		Place: r.place(at...), Text: r.text(at...), Object: r.Ref,
		Message: fmt.Sprintf("no listener of the %s that is asked for takes this %s of namespace %s (%s): it would not be attached",
			a.gateway.Ref, r.GetKind(), r.GetNamespace(), strings.Join(reasons, "; ")),
	}
	for _, l := range a.named {
		if slices.Contains(kindsOf(l.Protocol), r.GetKind()) {
			finding.Fix = fmt.Sprintf("allow it in allowedRoutes of listener %s (%s)", l.Name, a.gateway.Place(append(l.path, "allowedRoutes")...))
		}
	}
	p.Report(finding)
}

// takes tells what a listener takes instead of a route.
func (n *network) takes(l listener, r *route) string {
	if !l.takesKind(r.GetKind()) {
		if l.AllowedRoutes != nil && len(l.AllowedRoutes.Kinds) > 0 {
			var kinds []string
			for _, k := range l.AllowedRoutes.Kinds {
				kinds = append(kinds, string(k.Kind)+"s")
			}
			return strings.Join(kinds, ", ") + " only"
		}
		return fmt.Sprintf("%ss only, by its protocol", strings.Join(kindsOf(l.Protocol), "s and "))
	}
	switch from, _ := l.namespaces(); from {
	case gatewayv1.NamespacesFromSame:
		return fmt.Sprintf("routes of namespace %s only", l.gateway.GetNamespace())
	case gatewayv1.NamespacesFromNone:
		return "no routes"
	}
	return "routes of namespaces with other labels"
}

// grant is one permission of a ReferenceGrant.
type grant struct {
	namespace string
	gatewayv1.ReferenceGrantSpec
}

// readGrants lists the grants of the cluster.
func (n *network) readGrants() []grant {
	var grants []grant
	for _, o := range n.State.OfKind(gatewayGroup, "ReferenceGrant") {
		g := grant{namespace: o.GetNamespace()}
		if decode(o.Object["spec"], &g.ReferenceGrantSpec) {
			grants = append(grants, g)
		}
	}
	return grants
}

// allows reports whether objects of a kind and namespace may name an object of
// the grant's namespace.
func (g grant) allows(kind, namespace, group string, to domain.Ref) bool {
	if g.namespace != to.Namespace {
		return false
	}
	from, onto := false, false
	for _, f := range g.From {
		from = from || string(f.Group) == gatewayGroup && string(f.Kind) == kind && string(f.Namespace) == namespace
	}
	for _, t := range g.To {
		onto = onto || string(t.Group) == group && string(t.Kind) == to.Kind && (t.Name == nil || *t.Name == "" || string(*t.Name) == to.Name)
	}
	return from && onto
}

// granted reports whether an object may be named across namespaces, or whether
// nobody can say.
func (n *network) granted(grants []grant, kind, namespace, group string, to domain.Ref) bool {
	if n.State.Unknown(namespace) || n.State.Unknown(to.Namespace) || n.State.Unknown(to.Name) {
		return true
	}
	for _, g := range grants {
		if g.allows(kind, namespace, group, to) {
			return true
		}
		if n.unknownGrant(g) {
			return true
		}
	}
	_, doubt := n.Graph.Doubt("ReferenceGrant", to.Namespace)
	return doubt
}

// unknownGrant reports whether a grant names what is not known from the tree.
func (n *network) unknownGrant(g grant) bool {
	for _, f := range g.From {
		if n.State.Unknown(string(f.Namespace)) {
			return true
		}
	}
	return n.State.Unknown(g.namespace)
}

func (n *network) checkBackendGrant(p *rule.Pass, grants []grant, r *route, at []string, b backendRef) {
	group, to := b.key(r.GetNamespace())
	if to.Namespace == r.GetNamespace() || n.granted(grants, r.GetKind(), r.GetNamespace(), group, to) {
		return
	}
	at = append(at, "name")
	p.Report(rule.Finding{
		Place: r.place(at...), Text: r.text(at...), Object: r.Ref,
		Message: fmt.Sprintf("no ReferenceGrant in namespace %s lets %ss of namespace %s use the %s: requests would be answered with an error",
			to.Namespace, r.GetKind(), r.GetNamespace(), to),
		Fix: fmt.Sprintf("add a ReferenceGrant in %s from %s of %s to %s %s", to.Namespace, r.GetKind(), r.GetNamespace(), to.Kind, to.Name),
	})
}

// checkCertificateGrants judges the certificates of a gateway that are Secrets
// of other namespaces.
func (n *network) checkCertificateGrants(p *rule.Pass, grants []grant, g *gateway) {
	for _, l := range g.listeners {
		if l.TLS == nil {
			continue
		}
		for i, ref := range l.TLS.CertificateRefs {
			to := domain.Ref{Kind: "Secret", Name: string(ref.Name)}
			if ref.Namespace != nil {
				to.Namespace = string(*ref.Namespace)
			}
			group := ""
			if ref.Group != nil {
				group = string(*ref.Group)
			}
			if ref.Kind != nil {
				to.Kind = string(*ref.Kind)
			}
			if to.Namespace == "" || to.Namespace == g.GetNamespace() || n.granted(grants, g.GetKind(), g.GetNamespace(), group, to) {
				continue
			}
			p.Report(rule.Finding{
				Place: g.Place(append(l.path, "tls", "certificateRefs", index(i), "name")...), Text: to.Name, Object: g.Ref,
				Message: fmt.Sprintf("no ReferenceGrant in namespace %s lets the %s use the %s: listener %s would not be served", to.Namespace, g.Ref, to, l.Name),
				Fix:     fmt.Sprintf("add a ReferenceGrant in %s from %s of %s to %s %s", to.Namespace, g.GetKind(), g.GetNamespace(), to.Kind, to.Name),
			})
		}
	}
}
