package routing

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/repo"
	"hearth/internal/rule"
)

// checkDeclarations reports gateways and applications that .hearth.yaml names
// and no cluster has. Where only some clusters are judged it says nothing,
// since the others may have them.
func checkDeclarations(p *rule.Pass, networks []*network) {
	if len(networks) < len(p.Repository.Clusters) {
		return
	}
	if p.Config.Declared("gateways") {
		for _, name := range slices.Sorted(maps.Keys(p.Config.Gateways)) {
			if !slices.ContainsFunc(networks, func(n *network) bool { return n.mayHaveGateway(name) }) {
				p.Report(rule.Finding{
					Severity: rule.Warning, Place: p.Config.Place("gateways", name), Text: name,
					Message: fmt.Sprintf("no cluster has a gateway %s: what is declared of it holds for nothing", name),
					Fix:     meantGateway(name, networks),
				})
			}
		}
	}
	for _, app := range slices.Sorted(maps.Keys(p.Config.Exposure)) {
		if !slices.ContainsFunc(networks, func(n *network) bool { return n.mayHaveApp(app) }) {
			p.Report(rule.Finding{
				Severity: rule.Warning, Place: p.Config.Place("exposure", app), Text: app,
				Message: fmt.Sprintf("no cluster has an application %s: its exposure is declared for nothing", app),
			})
		}
	}
}

// mayHaveGateway reports whether a gateway of the configuration's name is
// there, or may be.
func (n *network) mayHaveGateway(name string) bool {
	namespace, own, qualified := strings.Cut(name, "/")
	if !qualified {
		own = name
	}
	for ref := range n.gateways {
		if ref.Kind == "Gateway" && (n.State.Unknown(ref.Name) || ref.Name == own && (!qualified || ref.Namespace == namespace)) {
			return true
		}
	}
	if qualified {
		return n.mayMakeGateway(namespace, own)
	}
	return n.mayHaveSomewhere(own)
}

// mayHaveSomewhere asks for a gateway in every namespace that something is
// applied to.
func (n *network) mayHaveSomewhere(name string) bool {
	asked := map[string]bool{}
	for o := range n.State.All() {
		namespace := o.GetNamespace()
		if namespace == "" || asked[namespace] {
			continue
		}
		asked[namespace] = true
		if n.mayMakeGateway(namespace, name) {
			return true
		}
	}
	return false
}

func (n *network) mayMakeGateway(namespace, name string) bool {
	_, known := n.Graph.Provider(gatewayGroup, "Gateway", namespace, name)
	_, doubt := n.Graph.DoubtAbout("Gateway", namespace, name)
	return known || doubt
}

// mayHaveApp reports whether a pattern means a release, a Kustomization or a
// route of the cluster.
func (n *network) mayHaveApp(pattern string) bool {
	for _, r := range n.State.Releases {
		if repo.Match(pattern, r.Namespace+"/"+r.Name) {
			return true
		}
	}
	for _, k := range n.State.Kustomizations {
		if repo.Match(pattern, k.Namespace+"/"+k.Name) || k.Spec.TargetNamespace != "" && repo.Match(pattern, k.Spec.TargetNamespace+"/"+k.Name) {
			return true
		}
		if k.Err != nil || k.Foreign {
			return true // what it would make is not known
		}
	}
	return slices.ContainsFunc(n.routes, func(r *route) bool { return repo.Match(pattern, r.GetNamespace()+"/"+r.GetName()) })
}

// meantGateway says which gateway was probably meant.
func meantGateway(name string, networks []*network) string {
	var have []domain.Ref
	for _, n := range networks {
		have = slices.AppendSeq(have, maps.Keys(n.gateways))
	}
	own := name[strings.LastIndex(name, "/")+1:]
	if meant, ok := nearest(domain.Ref{Kind: "Gateway", Name: own}, have); ok {
		return "write " + meant.Name
	}
	return ""
}
