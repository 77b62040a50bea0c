package causes

import (
	"fmt"

	"hearth/internal/diagnose"
)

var backendMissing = &diagnose.Cause{
	Name:     "backend-missing",
	Title:    "A route's Service does not exist",
	Symptom:  "Names resolve, and requests end in 500, 503 or 404.",
	Evidence: "The route names a Service, or a port of one, that does not exist; its condition ResolvedRefs says BackendNotFound.",
	Why:      "A gateway has nowhere to send requests to.",
	Fix:      "Make the Service, with the port that the route names; or correct backendRefs.",
	Section:  "HTTPRoute Not Working", Scenario: "Backend service missing", Yields: true,
	Find: func(s *diagnose.Search) {
		for _, r := range s.All(diagnose.HTTPRoute) {
			if s.Trouble(r) == nil && !s.Settled && s.Now.Sub(r.Created()) < young {
				continue
			}
			for _, rule := range r.List("spec", "rules") {
				for _, b := range rule.List("backendRefs") {
					reportBackend(s, r, b)
				}
			}
		}
	},
}

func reportBackend(s *diagnose.Search, r *diagnose.Object, ref diagnose.Fields) {
	if ref.Text("kind") != "" && ref.Text("kind") != diagnose.Service.Name || ref.Text("name") == "" {
		return
	}
	k := r.Names(diagnose.Service, ref)
	f := diagnose.Finding{
		Subject: k, Explains: []diagnose.Key{r.Key}, At: diagnose.Locus{Key: s.InGit(r).Key, Text: k.Name},
		Evidence: []diagnose.Evidence{absent(k)}, Commands: append(diagnose.Show(r.Key), "kubectl get service -n "+k.Namespace),
		Sentence: diagnose.RefOf(k).String() + ", which " + r.Ref().String() + " leads to, does not exist.",
	}
	service := s.Get(k)
	switch {
	case service == nil && s.Missing(k):
	case service != nil && ref.Number("port") != 0 && !hasPort(service, ref.Number("port")):
		f.Sentence = fmt.Sprintf("%s has no port %d, which %s leads to.", service.Ref(), ref.Number("port"), r.Ref())
		f.Evidence = []diagnose.Evidence{field(service, "spec.ports", "does not list the port")}
		f.At.Text = fmt.Sprint(ref.Number("port"))
	default:
		return
	}
	if s.Trouble(r) != nil {
		f.Evidence = append(f.Evidence, trouble(s, r))
	}
	s.Report(f)
}

func hasPort(service *diagnose.Object, port int64) bool {
	for _, p := range service.List("spec", "ports") {
		if p.Number("port") == port {
			return true
		}
	}
	return len(service.List("spec", "ports")) == 0
}
