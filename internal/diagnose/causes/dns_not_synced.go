package causes

import (
	"strings"

	"hearth/internal/diagnose"
)

var dnsNotSynced = &diagnose.Cause{
	Name:     "dns-not-synced",
	Title:    "External-DNS has not made the record",
	Symptom:  "A name does not resolve, although its route is accepted.",
	Evidence: "External-DNS has no pod that is ready; or a DNSEndpoint was never seen by it; or the name of an accepted route does not resolve.",
	Why:      "Records are made by External-DNS after a route is there, at its interval: while it does not run nothing new resolves.",
	Fix:      "Bring External-DNS up, or wait for its interval; check its domain filters and sources against the route's host name.",
	Section:  "HTTPRoute Not Working", Scenario: "External-DNS not synced", Yields: true,
	Unless: []string{"dns-provider-down"},
	Find: func(s *diagnose.Search) {
		for _, d := range publishers(s) {
			if t := s.Trouble(d); t != nil && (s.Acute(d) || d.Number("spec", "replicas") == 0) || scaledDown(d) {
				e := field(d, "spec.replicas", "0")
				if t != nil {
					e = trouble(s, d)
				}
				s.Report(diagnose.Finding{
					Subject: d.Key, Explains: podsOf(s, d), Sentence: d.Ref().String() + ", which makes DNS records, does not run.", Evidence: []diagnose.Evidence{e},
					At: diagnose.Locus{Key: s.InGit(d).Key}, Commands: append(diagnose.Show(d.Key), "kubectl logs -n "+d.Namespace+" deploy/"+d.Name),
				})
			}
		}
		for _, e := range unseenEndpoints(s) {
			s.Report(diagnose.Finding{
				Subject: e.Key, Sentence: "External-DNS has not seen " + e.Ref().String() + " yet.", Confidence: diagnose.Medium,
				Evidence: []diagnose.Evidence{field(e, "status.observedGeneration", "is behind")}, Commands: diagnose.Show(e.Key),
			})
		}
		for _, name := range unresolvedNames(s) {
			r := name.route
			s.Report(diagnose.Finding{
				Subject: r.Key, Sentence: "The name " + name.host + " of " + r.Ref().String() + " does not resolve.", Confidence: diagnose.Medium,
				Evidence: []diagnose.Evidence{field(r, "spec.hostnames", name.host+" does not resolve")}, At: diagnose.Locus{Key: s.InGit(r).Key, Text: name.host},
				Commands: diagnose.Show(r.Key),
			})
		}
	},
}

// unseenEndpoints returns the DNSEndpoints that no External-DNS has looked at.
func unseenEndpoints(s *diagnose.Search) []*diagnose.Object {
	var list []*diagnose.Object
	for _, e := range s.All(diagnose.DNSEndpoint) {
		if e.Number("status", "observedGeneration") < e.Number("metadata", "generation") && (s.Settled || s.Now.Sub(e.Created()) > young) {
			list = append(list, e)
		}
	}
	return list
}

// podsOf returns the pods in trouble of a workload.
func podsOf(s *diagnose.Search, workload *diagnose.Object) []diagnose.Key {
	var keys []diagnose.Key
	for _, p := range s.All(diagnose.Pod) {
		if s.Trouble(p) != nil && s.Workload(p) == workload {
			keys = append(keys, p.Key)
		}
	}
	return keys
}

// unresolved is a name of an accepted route that does not resolve.
type unresolved struct {
	route *diagnose.Object
	host  string
}

// unresolvedNames returns them, where names can be asked for.
func unresolvedNames(s *diagnose.Search) []unresolved {
	if s.Resolves == nil {
		return nil
	}
	var list []unresolved
	for _, r := range s.All(diagnose.HTTPRoute) {
		if s.Trouble(r) != nil || !s.Settled && s.Now.Sub(r.Created()) < young {
			continue
		}
		for _, host := range r.Texts("spec", "hostnames") {
			if resolves, known := s.Resolves(host); known && !resolves {
				list = append(list, unresolved{r, host})
			}
		}
	}
	return list
}

// publishers returns the workloads that make DNS records of routes.
func publishers(s *diagnose.Search) []*diagnose.Object {
	var list []*diagnose.Object
	for _, d := range s.All(diagnose.Deployment) {
		if d.Label("app.kubernetes.io/name") == externalDNS || strings.HasPrefix(d.Name, externalDNS) {
			list = append(list, d)
		}
	}
	return list
}

const externalDNS = "external-dns"
