package causes

import (
	"regexp"

	"hearth/internal/diagnose"
)

var sopsKeyMissing = &diagnose.Cause{
	Name:     "sops-key-missing",
	Title:    "The key of encrypted files is missing",
	Symptom:  "A Kustomization is Failed before it applies anything.",
	Evidence: "The Ready condition says that a file cannot be decrypted, or that the decryption Secret does not exist.",
	Why:      "Files that SOPS encrypted need the key in the Secret that spec.decryption.secretRef names.",
	Fix:      "Create the decryption Secret in the Kustomization's namespace with the age or PGP key, or correct spec.decryption.secretRef.",
	Find: func(s *diagnose.Search) {
		matching(s, undecrypted, []diagnose.Kind{diagnose.Kustomization}, func(c complaint, _ []string) {
			s.Report(diagnose.Finding{
				Subject: c.object.Key, Sentence: c.object.Ref().String() + " has no key for its encrypted files.", Evidence: []diagnose.Evidence{c.Evidence},
				At: diagnose.Locus{Key: c.object.Key, Field: []string{"spec", "decryption"}}, Commands: diagnose.Show(c.object.Key),
			})
		})
	},
}

var undecrypted = regexp.MustCompile(`(?i)\bsops\b|decryption secret|failed to decrypt|no identity matched|configuring decryption is required`)
