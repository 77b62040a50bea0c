package causes

import (
	"regexp"

	"hearth/internal/diagnose"
)

var connectDown = &diagnose.Cause{
	Name:     "connect-down",
	Title:    "1Password Connect does not answer",
	Symptom:  "ExternalSecrets are Failed or Pending, all at once, and pods wait for their Secrets.",
	Evidence: "The store's Ready condition, or the ExternalSecrets', say that Connect cannot be reached; its Service has no pod that is ready.",
	Why:      "Every secret comes through Connect: while it is down nothing is refreshed, and what is new is not made.",
	Fix:      "Start onepassword-connect again, or correct spec.provider.onepassword.connectHost of the store.",
	Section:  "ExternalSecret Failed to Sync", Scenario: "onepassword-connect down", Yields: true,
	Find: func(s *diagnose.Search) {
		kinds := []diagnose.Kind{diagnose.ClusterSecretStore, diagnose.SecretStore, diagnose.ExternalSecret}
		matching(s, unreachableConnect, kinds, func(c complaint, _ []string) {
			store := storeOf(c.object)
			f := diagnose.Finding{
				Subject: store, Explains: []diagnose.Key{c.object.Key}, Evidence: []diagnose.Evidence{c.Evidence},
				Sentence: "The server of " + diagnose.RefOf(store).String() + " cannot be reached.",
				At:       diagnose.Locus{Key: store, Field: []string{"spec", "provider", "onepassword", "connectHost"}},
				Commands: diagnose.Show(store),
			}
			if o := s.Get(store); o != nil {
				service, ok := diagnose.ServiceOf(o.Text("spec", "provider", "onepassword", "connectHost"), o.Namespace)
				switch {
				case ok && s.Missing(service):
					f.Evidence = append(f.Evidence, absent(service))
				case ok && s.Troubled(service):
					f.Evidence = append(f.Evidence, trouble(s, s.Get(service)))
					f.Commands = append(f.Commands, "kubectl get pods -n "+service.Namespace, "kubectl logs -n "+service.Namespace+" deploy/"+service.Name)
				}
			}
			s.Report(f)
		})
	},
}

// unreachableConnect is how a server that does not answer is told of.
var unreachableConnect = regexp.MustCompile(`Connect at \S+ (?:is unreachable|answered with status 5)|connection refused|no such host|i/o timeout|context deadline exceeded|no route to host|Client\.Timeout exceeded|status 5\d\d|EOF$`)

// storeOf returns the store that an ExternalSecret reads, or the store itself.
func storeOf(o *diagnose.Object) diagnose.Key {
	if o.Kind() != diagnose.ExternalSecret {
		return o.Key
	}
	kind := diagnose.SecretStore
	if o.Text("spec", "secretStoreRef", "kind") == diagnose.ClusterSecretStore.Name {
		kind = diagnose.ClusterSecretStore
	}
	return o.Names(kind, o.In("spec", "secretStoreRef"))
}
