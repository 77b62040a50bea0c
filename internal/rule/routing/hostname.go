package routing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/rule"
)

var routeHostname = &rule.Rule{
	Name:     "route-hostname",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "The hostnames of routes are DNS names that a listener of their gateway answers, and no two routes share one",
	Why: "A hostname that is no DNS name is refused by the API server, and the whole Kustomization or release fails with it. " +
		"One that no listener answers is accepted and ignored: no DNS record is made and requests get a 404. Where two routes " +
		"claim the same hostname and path on one gateway, only the older of the two gets the requests.",
	Remedy: "Write the bare name in lower case, without scheme, port or path; a wildcard can only be the first label. Give it the " +
		"domain of a listener of the gateway, or the gateway a listener for the domain. Give one of two routes that clash " +
		"another hostname or path.",
	Section: "HTTPRoute Specification",
	Bad: `hostnames: ["https://Photos.example.com"]
`,
	Good: `hostnames: ["photos.example.com"]
`,
	Check: func(p *rule.Pass) {
		for _, c := range p.Clusters {
			n := newNetwork(c)
			for _, g := range n.gateways {
				n.checkListenerNames(p, g)
			}
			for _, r := range n.routes {
				if n.checkNames(p, r) {
					n.checkAnswered(p, r)
				}
			}
			n.checkClashes(p)
		}
	},
}

// checkNames judges the hostnames themselves, and reports whether all are right.
func (n *network) checkNames(p *rule.Pass, r *route) bool {
	right := true
	for i, host := range r.hostnames {
		at := []string{"hostnames", index(i)}
		finding := rule.Finding{Place: r.place(at...), Text: r.text(at...), Object: r.Ref}
		written := n.written(r, i)
		switch fault := n.nameFault(host); {
		case fault != "":
			finding.Message = fmt.Sprintf("%q is no hostname, and the API server refuses the route: %s", written, fault)
		case isAddress(host):
			finding.Severity = rule.Warning
			finding.Message = fmt.Sprintf("%s is an address: the Gateway API matches requests by DNS names only, and gateways may refuse or ignore it", host)
		default:
			continue
		}
		right = false
		p.Report(finding)
	}
	return right
}

func (n *network) checkListenerNames(p *rule.Pass, g *gateway) {
	for _, l := range g.listeners {
		if l.Hostname == nil || *l.Hostname == "" {
			continue
		}
		if fault := n.nameFault(string(*l.Hostname)); fault != "" {
			p.Report(rule.Finding{
				Place: g.Place(append(l.path, "hostname")...), Text: string(*l.Hostname), Object: g.Ref,
				Message: fmt.Sprintf("%q is no hostname, and the API server refuses the %s: %s", *l.Hostname, g.GetKind(), fault),
			})
		}
	}
}

// checkAnswered reports parents none of whose listeners answers the route, and
// hostnames that no listener of any parent answers.
func (n *network) checkAnswered(p *rule.Pass, r *route) {
	var serving []listener
	certain := true
	for i, ref := range r.parents {
		a := n.attach(r, ref)
		if a == nil || len(a.allowed) == 0 {
			certain = false // what is wrong there, if anything, other rules say
			continue
		}
		accepting, known := n.accepting(r, a)
		switch {
		case !known:
			certain = false
		case len(accepting) == 0:
			n.reportDetached(p, r, i, a)
		default:
			serving = append(serving, a.allowed...)
		}
	}
	if !certain || len(serving) == 0 {
		return
	}
	for i, host := range r.hostnames {
		if !slices.ContainsFunc(serving, func(l listener) bool { ok, known := n.answers(l, host); return ok || !known }) {
			n.reportUnanswered(p, r, i)
		}
	}
}

func (n *network) reportDetached(p *rule.Pass, r *route, i int, a *attachment) {
	at := []string{"parentRefs", index(i), "name"}
	p.Report(rule.Finding{
		Place: r.place(at...), Text: r.text(at...), Object: r.Ref,
		Message: fmt.Sprintf("%s answers %s only, and the route asks for %s: it is not attached", describe(a), listenerNames(a), strings.Join(n.allWritten(r), ", ")),
		Fix:     "give the route a hostname that the listener answers, or name another listener or gateway",
	})
}

// reportUnanswered reports a hostname that no listener answers, although the
// route is attached for another one.
func (n *network) reportUnanswered(p *rule.Pass, r *route, i int) {
	at := []string{"hostnames", index(i)}
	p.Report(rule.Finding{
		Place: r.place(at...), Text: r.text(at...), Object: r.Ref,
		Message: fmt.Sprintf("no listener of the route's gateways answers %s: the name is ignored, and requests for it are not served", n.written(r, i)),
	})
}

// written returns a hostname for the reader: as it stands in Git, where a part
// of it is not known.
func (n *network) written(r *route, i int) string {
	if n.State.Unknown(r.hostnames[i]) {
		return cmp.Or(r.text("hostnames", index(i)), r.hostnames[i])
	}
	return r.hostnames[i]
}

func (n *network) allWritten(r *route) []string {
	var list []string
	for i := range r.hostnames {
		list = append(list, n.written(r, i))
	}
	return list
}

// describe names the listeners that a parent reference selects.
func describe(a *attachment) string {
	if len(a.allowed) == 1 {
		return fmt.Sprintf("listener %s of %s", a.allowed[0].Name, a.gateway.Ref)
	}
	return a.gateway.Ref.String()
}

// listenerNames lists what the listeners of an attachment answer.
func listenerNames(a *attachment) string {
	var names []string
	seen := map[gatewayv1.Hostname]bool{}
	for _, l := range a.allowed {
		if l.Hostname != nil && !seen[*l.Hostname] {
			seen[*l.Hostname] = true
			names = append(names, string(*l.Hostname))
		}
	}
	return strings.Join(names, ", ")
}
