package routing

import (
	"encoding/json"
	"fmt"
	"slices"

	"hearth/internal/rule"
)

// claim is what a route takes of a listener.
type claim struct {
	listener *gateway
	section  string
	kind     string
	hostname string
	// match is a rule's match, in one spelling.
	match string
}

// checkClashes reports routes that claim what an earlier one has claimed
// already.
func (n *network) checkClashes(p *rule.Pass) {
	first := map[claim]*route{}
	for _, r := range n.routes {
		if r.suspended() {
			continue
		}
		told := map[*route]bool{}
		for _, c := range n.claims(r) {
			other, taken := first[c]
			switch {
			case !taken:
				first[c] = r
			case other != r && !told[other]:
				told[other] = true
				n.reportClash(p, r, other, c)
			}
		}
	}
}

func (n *network) reportClash(p *rule.Pass, r, other *route, c claim) {
	at, what := []string{"parentRefs"}, "the same requests"
	if c.hostname != "" {
		at = []string{"hostnames", index(slices.Index(r.hostnames, c.hostname))}
		what = fmt.Sprintf("%s with the same matches", c.hostname)
	}
	p.Report(rule.Finding{
		Severity: rule.Warning, Place: r.place(at...), Text: r.text(at...), Object: r.Ref,
		Message: fmt.Sprintf("%s (%s) claims %s on listener %s of %s, too: only the older of the two gets the requests",
			other.Ref, other.Place(), what, c.section, c.listener.Ref),
	})
}

// claims lists what a route surely takes.
func (n *network) claims(r *route) []claim {
	var list []claim
	hostnames := r.hostnames
	if len(hostnames) == 0 {
		hostnames = []string{""}
	}
	for _, ref := range r.parents {
		a := n.attach(r, ref)
		if a == nil || !a.known {
			continue
		}
		for _, l := range a.allowed {
			for _, host := range hostnames {
				if ok, known := n.answers(l, r.namesOnly(host)...); !ok || !known {
					continue
				}
				for _, match := range r.matches() {
					list = append(list, claim{listener: a.gateway, section: string(l.Name), kind: r.GetKind(), hostname: host, match: match})
				}
			}
		}
	}
	return list
}

// namesOnly is the list of one hostname, or the empty one for a route without.
func (r *route) namesOnly(host string) []string {
	if host == "" {
		return nil
	}
	return []string{host}
}

// matches returns the matches of a route's rules, each in one spelling.
func (r *route) matches() []string {
	if r.GetKind() != "HTTPRoute" && r.GetKind() != "GRPCRoute" {
		return []string{""}
	}
	var list []string
	for _, routed := range r.rules {
		if len(routed.Matches) == 0 {
			list = append(list, spell(r.GetKind(), nil))
		}
		for _, m := range routed.Matches {
			list = append(list, spell(r.GetKind(), m))
		}
	}
	return list
}

// spell writes a match so that equal ones are equal texts: the defaults of the
// Gateway API are filled in.
func spell(kind string, match map[string]any) string {
	full := map[string]any{}
	for field, value := range match {
		full[field] = value
	}
	if kind == "HTTPRoute" {
		path := map[string]any{"type": "PathPrefix", "value": "/"}
		if own, ok := full["path"].(map[string]any); ok {
			for field, value := range own {
				path[field] = value
			}
		}
		full["path"] = path
	}
	text, _ := json.Marshal(full) // what was decoded can be encoded
	return string(text)
}

// suspended reports whether the route's release or Kustomization is not applied
// at present.
func (r *route) suspended() bool {
	return r.Release != nil && r.Release.Spec.Suspend || r.Kustomization != nil && r.Kustomization.Spec.Suspend
}
