package causes

import (
	"fmt"

	"hearth/internal/diagnose"
)

var gatewayNotReady = &diagnose.Cause{
	Name:     "gateway-not-ready",
	Title:    "The gateway is not ready",
	Symptom:  "Names resolve, and connections are refused, for all routes of one gateway.",
	Evidence: "The Gateway is not Accepted or not Programmed, or one of its listeners is not.",
	Why:      "A route works through its gateway: without its proxy's pods, an address, or a listener's certificate nothing listens.",
	Fix:      "Bring the gateway to Ready: its class and controller, the proxy's pods, an address from the pool, the certificate of its listeners.",
	Section:  "HTTPRoute Not Working", Scenario: "Gateway not ready", Yields: true,
	Find: func(s *diagnose.Search) {
		for _, g := range s.All(diagnose.Gateway) {
			if !s.Acute(g) {
				continue
			}
			routes := routesOf(s, g.Key)
			f := diagnose.Finding{
				Subject: g.Key, Explains: routes, Evidence: []diagnose.Evidence{trouble(s, g)}, Commands: diagnose.Show(g.Key),
				Sentence: fmt.Sprintf("%s is not ready; %d routes lead through it.", g.Ref(), len(routes)),
			}
			for _, kind := range []string{"Accepted", "Programmed"} {
				if c := g.Condition(kind); c.False() {
					f.Evidence = append(f.Evidence, condition(g, kind))
				}
			}
			for _, k := range s.Needs(g) {
				if s.Missing(k) {
					f.Evidence = append(f.Evidence, absent(k))
					f.At = diagnose.Locus{Key: g.Key, Text: k.Name}
				}
			}
			s.Report(f)
		}
	},
}

// routesOf returns the routes that name a gateway.
func routesOf(s *diagnose.Search, gateway diagnose.Key) []diagnose.Key {
	var keys []diagnose.Key
	for _, r := range s.All(diagnose.HTTPRoute) {
		for _, p := range r.List("spec", "parentRefs") {
			if r.Names(diagnose.Gateway, p) == gateway {
				keys = append(keys, r.Key)
				break
			}
		}
	}
	return keys
}
