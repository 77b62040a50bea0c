package causes

import (
	"hearth/internal/diagnose"
)

var sourceAuthentication = &diagnose.Cause{
	Name:     "source-authentication",
	Title:    "A source refuses the credentials",
	Symptom:  "A source is not ready; what is made of it is not updated, or never applied.",
	Evidence: "The source's Ready condition says that authentication failed.",
	Why:      "A deploy key or token has expired, was revoked, or lacks the right to read; or the host's key has changed.",
	Fix:      "Renew the Secret that spec.secretRef of the source names.",
	Find: func(s *diagnose.Search) {
		matching(s, refusedCredentials, diagnose.Sources, func(c complaint, _ []string) {
			at := diagnose.Locus{Key: c.object.Key, Field: []string{"spec", "secretRef"}}
			if !c.object.Has(at.Field...) {
				at.Field = []string{"spec", "url"}
			}
			reportSource(s, c, "refuses the credentials of "+c.object.Ref().String(), at, c.object.Key)
		})
	},
}
