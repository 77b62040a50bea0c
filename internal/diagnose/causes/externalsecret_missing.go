package causes

import (
	"hearth/internal/diagnose"
)

var externalSecretMissing = &diagnose.Cause{
	Name:     "externalsecret-missing",
	Title:    "A Secret is missing, or its ExternalSecret is not ready",
	Symptom:  "A pod waits for a Secret, or a HelmRelease is stuck.",
	Evidence: "A pod, a release or a Kustomization names a Secret that does not exist, and no ExternalSecret makes it; or one does, and is not ready for no reason that it tells.",
	Why:      "What names a Secret waits until it is there, for ever if need be.",
	Fix:      "Add an ExternalSecret that makes the Secret to the application's secrets.yaml, and list it in its kustomization.yaml; or correct the Secret's name.",
	Section:  "HelmRelease Stuck Reconciling", Scenario: "Missing ExternalSecret", Yields: true,
	Unless: []string{"sops-key-missing", "source-authentication", "store-refused"},
	Find: func(s *diagnose.Search) {
		for _, p := range s.All(diagnose.Pod) {
			if s.Trouble(p) != nil && p.Text("status", "phase") == "Pending" {
				reportSecrets(s, p, subject(s, p), diagnose.Configuration(p))
			}
		}
		for _, o := range s.All(diagnose.HelmRelease, diagnose.Kustomization, diagnose.GitRepository, diagnose.OCIRepository, diagnose.HelmRepository, diagnose.Database) {
			if s.Trouble(o) != nil {
				reportSecrets(s, o, o, s.Needs(o))
			}
		}
		for _, c := range s.All(diagnose.Certificate) {
			if issuer := s.IssuerOf(c); issuer != nil && s.Trouble(c) != nil {
				reportSecrets(s, c, issuer, s.Needs(c))
			}
		}
	},
}

// reportSecrets reports those of some Secrets and ConfigMaps that are missing:
// o waits for them, and git names them.
func reportSecrets(s *diagnose.Search, o, git *diagnose.Object, keys []diagnose.Key) {
	for _, k := range keys {
		if k.Group != "" || k.Kind != "Secret" && k.Kind != "ConfigMap" || !s.Missing(k) {
			continue
		}
		f := diagnose.Finding{
			Subject: k, Explains: []diagnose.Key{o.Key}, At: namedAt(git, k),
			Sentence: diagnose.RefOf(k).String() + ", which " + namer(o, git) + " names, does not exist, and no ExternalSecret makes it.",
			Evidence: []diagnose.Evidence{absent(k), trouble(s, o)},
			Commands: append(diagnose.Show(o.Key), "kubectl get externalsecret -n "+k.Namespace), Confidence: diagnose.Medium,
		}
		if k.Kind == "ConfigMap" {
			f.Sentence = diagnose.RefOf(k).String() + ", which " + namer(o, git) + " names, does not exist."
			f.Fix = "Add the ConfigMap to the application, or correct its name."
		}
		if es := s.Maker(k); es != nil {
			f.Subject, f.At, f.Explains = es.Key, diagnose.Locus{Key: es.Key}, append(f.Explains, k)
			f.Sentence = diagnose.RefOf(k).String() + " does not exist yet: " + es.Ref().String() + " is not ready."
			f.Evidence = append(f.Evidence, trouble(s, es))
			f.Fix = "Bring the " + es.Key.Kind + " to Ready: see its condition."
		}
		s.Report(f)
	}
}

// namer is who names what an object waits for: an issuer in a certificate's
// stead, else the object itself.
func namer(o, git *diagnose.Object) string {
	if o.Kind() == diagnose.Certificate {
		return git.Ref().String()
	}
	return o.Ref().String()
}

// namedAt is where an object names a Secret or a ConfigMap, else the first line
// that holds its name.
func namedAt(o *diagnose.Object, k diagnose.Key) diagnose.Locus {
	if path := naming(o, k.Kind, k.Name); path != nil {
		return diagnose.Locus{Key: o.Key, Field: path}
	}
	return diagnose.Locus{Key: o.Key, Text: k.Name}
}
