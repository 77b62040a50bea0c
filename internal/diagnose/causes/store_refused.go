package causes

import (
	"regexp"

	"hearth/internal/diagnose"
)

var storeRefused = &diagnose.Cause{
	Name:     "store-refused",
	Title:    "The secret store refuses its token, or does not exist",
	Symptom:  "ExternalSecrets are Failed or Pending, all at once.",
	Evidence: "The store's Ready condition, or the ExternalSecrets', say that the token is refused; or no store of the name exists.",
	Why:      "A Connect token that has expired or was revoked opens no vault.",
	Fix:      "Renew the Secret that holds the Connect token, or correct spec.secretStoreRef.",
	Find: func(s *diagnose.Search) {
		kinds := []diagnose.Kind{diagnose.ClusterSecretStore, diagnose.SecretStore, diagnose.ExternalSecret}
		matching(s, refusedToken, kinds, func(c complaint, _ []string) {
			store := storeOf(c.object)
			s.Report(diagnose.Finding{
				Subject: store, Explains: []diagnose.Key{c.object.Key}, Evidence: []diagnose.Evidence{c.Evidence},
				Sentence: "The vault refuses the token of " + diagnose.RefOf(store).String() + ".",
				At:       diagnose.Locus{Key: store, Field: []string{"spec", "provider", "onepassword", "auth", "secretRef", "connectTokenSecretRef"}},
				Commands: diagnose.Show(store),
			})
		})
		for _, es := range s.All(diagnose.ExternalSecret) {
			store := storeOf(es)
			if s.Trouble(es) == nil || store.Name == "" || !s.Missing(store) {
				continue
			}
			s.Report(diagnose.Finding{
				Subject: store, Explains: []diagnose.Key{es.Key}, Evidence: []diagnose.Evidence{absent(store), trouble(s, es)},
				Sentence: diagnose.RefOf(store).String() + ", which " + es.Ref().String() + " reads, does not exist.",
				At:       diagnose.Locus{Key: es.Key, Field: []string{"spec", "secretStoreRef", "name"}}, Commands: diagnose.Show(es.Key),
			})
		}
	},
}

// refusedToken is how a token that opens nothing is told of.
var refusedToken = regexp.MustCompile(`refuses the token|[Ii]nvalid (?:bearer )?token|token signature|status 40[13]|401 Unauthorized|no Connect token in its key|with the Connect token does not exist|has no vault "`)
