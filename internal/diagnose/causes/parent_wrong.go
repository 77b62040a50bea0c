package causes

import (
	"hearth/internal/diagnose"
	"hearth/internal/spelling"
)

var parentWrong = &diagnose.Cause{
	Name:     "parent-wrong",
	Title:    "A route's parentRefs lead nowhere",
	Symptom:  "Names do not resolve, or end in 404, for one route.",
	Evidence: "The route names a gateway or a listener that does not exist; or the gateway says that no listener of it matches or allows the route.",
	Why:      "A route is served where a listener of its parent takes it: by name, namespace, section, host name and the namespaces that the listener admits.",
	Fix:      "Correct the gateway's name, namespace or sectionName in parentRefs; or allow the route's namespace in the listener's allowedRoutes.",
	Section:  "HTTPRoute Not Working", Scenario: "Wrong parentRefs", Yields: true,
	Find: func(s *diagnose.Search) {
		for _, r := range s.All(diagnose.HTTPRoute) {
			if s.Trouble(r) == nil {
				continue
			}
			git := s.InGit(r)
			for _, p := range r.List("spec", "parentRefs") {
				gateway := r.Names(diagnose.Gateway, p)
				if p.Text("kind") != "" && p.Text("kind") != diagnose.Gateway.Name {
					continue
				}
				if s.Missing(gateway) {
					s.Report(diagnose.Finding{
						Subject: gateway, Explains: []diagnose.Key{r.Key}, At: diagnose.Locus{Key: git.Key, Text: gateway.Name},
						Sentence: r.Ref().String() + " names " + diagnose.RefOf(gateway).String() + ", which does not exist" + nearGateway(s, gateway) + ".",
						Evidence: []diagnose.Evidence{absent(gateway), trouble(s, r)}, Commands: append(diagnose.Show(r.Key), "kubectl get gateway -A"),
					})
					continue
				}
				reportRefusal(s, r, gateway, git, p)
			}
		}
	},
}

// refusals are the reasons for which a gateway that exists does not take a route.
var refusals = map[string]bool{"NoMatchingParent": true, "NotAllowedByListeners": true, "NoMatchingListenerHostname": true, "NoMatchingListener": true}

func reportRefusal(s *diagnose.Search, r *diagnose.Object, gateway diagnose.Key, git *diagnose.Object, ref diagnose.Fields) {
	for _, parent := range r.List("status", "parents") {
		c := parent.ConditionIn("Accepted", "conditions")
		if !c.False() || !refusals[c.Reason] || r.Names(diagnose.Gateway, parent.In("parentRef")) != gateway ||
			parent.Text("parentRef", "sectionName") != ref.Text("sectionName") {
			continue
		}
		at := diagnose.Locus{Key: git.Key, Text: or(ref.Text("sectionName"), gateway.Name)}
		if c.Reason == "NoMatchingListenerHostname" {
			at.Text = first(r.Texts("spec", "hostnames"))
		}
		s.Report(diagnose.Finding{
			Subject: r.Key, At: at, Sentence: diagnose.RefOf(gateway).String() + " does not take " + r.Ref().String() + ": " + c.Reason + ".",
			Evidence: []diagnose.Evidence{{Object: r.Ref(), Field: "condition Accepted=False", Text: joined(c.Reason, c.Message), Time: c.Since}},
			Commands: diagnose.Show(r.Key, gateway),
		})
		return
	}
}

// nearGateway tells which gateway may have been meant.
func nearGateway(s *diagnose.Search, wanted diagnose.Key) string {
	var names []string
	for _, g := range s.All(diagnose.Gateway) {
		if g.Name == wanted.Name {
			return " (there is one of the name in namespace " + g.Namespace + ")"
		}
		names = append(names, g.Name)
	}
	if near := spelling.Guess(wanted.Name, names); near != "" {
		return " (" + near + " does)"
	}
	return ""
}
