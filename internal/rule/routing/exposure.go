package routing

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
	"hearth/internal/repo"
	"hearth/internal/rule"
)

var gatewayExposure = &rule.Rule{
	Name:     "gateway-exposure",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "Applications are attached to the gateway that fits whom the owner wants to reach them",
	Why: "The gateway decides who can reach an application: what is attached to the public one answers the whole internet, and " +
		"nothing but the application's own login stands in between. The rule compares what .hearth.yaml declares of " +
		"applications (exposure) with what it declares of gateways (gateways); where nothing is declared it says nothing.",
	Remedy: "Attach the route to a gateway of the declared exposure, or declare what is really meant. What is for the VPN alone has " +
		"no gateway: a DNS record leads to the tunnel, which leads to the Service.",
	Section: "Capsule: GatewaySelection",
	Bad: `# .hearth.yaml: exposure: {home/home-assistant: lan}
parentRefs:
  - name: envoy-external # public
    namespace: network
`,
	Good: `# .hearth.yaml: exposure: {home/home-assistant: lan}
parentRefs:
  - name: envoy-internal
    namespace: network
`,
	Check: func(p *rule.Pass) {
		var networks []*network
		for _, c := range p.Clusters {
			n := newNetwork(c)
			n.checkExposures(p)
			networks = append(networks, n)
		}
		checkDeclarations(p, networks)
	},
}

// breadth orders exposures: the greater reaches further.
var breadth = map[domain.Exposure]int{domain.VPNExposure: 1, domain.LANExposure: 2, domain.PublicExposure: 3}

// checkExposures judges the applications of a cluster whose exposure is
// declared.
func (n *network) checkExposures(p *rule.Pass) {
	wanting := map[any]domain.Ref{} // what is declared public, by group
	for _, r := range n.routes {
		app, wanted, declared := r.declared(p.Config)
		if !declared {
			continue
		}
		for i, ref := range r.parents {
			n.checkParentExposure(p, r, i, ref, app, wanted)
		}
		if _, told := wanting[r.group()]; wanted == domain.PublicExposure && !told {
			wanting[r.group()] = app
		}
	}
	for group, app := range wanting {
		n.checkReachable(p, app, group)
	}
}

// group is what the routes of one application have in common: the Kustomization
// that applies them, or else the route itself, where the first one applies all.
func (r *route) group() any {
	if r.Kustomization != nil && r.Kustomization.Parent != nil {
		return r.Kustomization
	}
	if r.Release != nil {
		return r.Release
	}
	return r
}

// declared returns whom the owner wants to reach the application that a route
// leads to: the release that renders it, the route itself, or the Kustomization
// that applies it. An own name goes before a pattern.
func (r *route) declared(c repo.Config) (app domain.Ref, exposure domain.Exposure, ok bool) {
	var names []string
	if r.Release != nil {
		names = append(names, r.Release.Name)
	}
	names = append(names, r.GetName())
	if r.Kustomization != nil {
		names = append(names, r.Kustomization.Name)
	}
	for _, own := range []bool{true, false} {
		for _, name := range names {
			if _, exact := c.Exposure[r.GetNamespace()+"/"+name]; own && !exact {
				continue
			}
			if exposure, ok := c.ExposureOf(r.GetNamespace(), name); ok {
				return domain.Ref{Namespace: r.GetNamespace(), Name: names[0]}, domain.Exposure(exposure), true
			}
		}
	}
	return domain.Ref{}, "", false
}

// exposureOf returns who reaches what a parent serves, as .hearth.yaml says.
func exposureOf(c repo.Config, namespace string, ref gatewayv1.ParentReference) (domain.Exposure, bool) {
	key := parentKey(namespace, ref)
	if parentGroup(ref) != gatewayGroup || key.Kind != "Gateway" {
		return "", false
	}
	for _, name := range []string{key.Namespace + "/" + key.Name, key.Name} {
		if g, ok := c.Gateways[name]; ok {
			return domain.Exposure(g.Exposure), true
		}
	}
	return "", false
}

// checkParentExposure reports a gateway that reaches further than declared.
func (n *network) checkParentExposure(p *rule.Pass, r *route, i int, ref gatewayv1.ParentReference, app domain.Ref, wanted domain.Exposure) {
	actual, known := exposureOf(p.Config, r.GetNamespace(), ref)
	if !known || breadth[actual] <= breadth[wanted] {
		return
	}
	finding := rule.Finding{Severity: rule.Error}
	who := "the whole internet could reach it"
	if actual == domain.LANExposure {
		finding.Severity, who = rule.Warning, "everybody on the LAN reaches it"
	}
	at := []string{"parentRefs", index(i), "name"}
	finding.Place, finding.Text, finding.Object = r.place(at...), r.text(at...), r.Ref
	finding.Message = fmt.Sprintf("%s/%s is declared %s, and the %s is %s: %s", app.Namespace, app.Name, wanted, parentKey(r.GetNamespace(), ref), actual, who)
	finding.Fix = n.fixFor(p.Config, wanted)
	p.Report(finding)
}

// fixFor names a gateway of an exposure.
func (n *network) fixFor(c repo.Config, wanted domain.Exposure) string {
	for _, key := range slices.SortedFunc(maps.Keys(n.gateways), domain.Ref.Compare) {
		ref := gatewayv1.ParentReference{Name: gatewayv1.ObjectName(key.Name)}
		if exposure, known := exposureOf(c, key.Namespace, ref); known && key.Kind == "Gateway" && exposure == wanted {
			return fmt.Sprintf("attach it to %s of namespace %s", key.Name, key.Namespace)
		}
	}
	return ""
}

// checkReachable reports an application that is declared public, and all of
// whose gateways surely are not.
func (n *network) checkReachable(p *rule.Pass, app domain.Ref, group any) {
	var first *route
	for _, r := range n.routes {
		if r.group() != group {
			continue
		}
		for _, ref := range r.parents {
			if actual, known := exposureOf(p.Config, r.GetNamespace(), ref); !known || actual == domain.PublicExposure {
				return
			}
			first = cmp.Or(first, r)
		}
	}
	if first == nil {
		return
	}
	at := []string{"parentRefs", "0", "name"}
	p.Report(rule.Finding{
		Severity: rule.Warning, Place: first.place(at...), Text: first.text(at...), Object: first.Ref,
		Message: fmt.Sprintf("%s/%s is declared public, and none of its gateways is: it cannot be reached from the internet", app.Namespace, app.Name),
		Fix:     n.fixFor(p.Config, domain.PublicExposure),
	})
}
