package causes

import (
	"regexp"
	"strings"

	"hearth/internal/diagnose"
)

var dependencyRace = &diagnose.Cause{
	Name:     "dependency-race",
	Title:    "A missing dependency lost a race",
	Symptom:  "A Kustomization or HelmRelease fails now and then, and comes up by itself at a later try.",
	Evidence: "The API server knew no such kind when it was applied, and knows it by now; nothing in dependsOn makes it wait.",
	Why:      "Without dependsOn the order is a matter of luck: who applies first, the application or the operator that defines its kinds.",
	Fix:      "Name what brings the definition in the Kustomization's dependsOn; a reconcile lets it try again at once.",
	Section:  "Don't: Skip Dependencies",
	Find:     func(s *diagnose.Search) { findKinds(s, true) },
}

var unknownKind = regexp.MustCompile(`no matches for kind "([A-Za-z0-9]+)" in version "(?:([a-z0-9.-]+)/)?[a-z0-9]+"|(?:resource mapping not found|the server could not find the requested resource).*?kind "?([A-Za-z0-9]+)|` +
	// A controller that has known the kind goes on to ask for it.
	`([A-Z][A-Za-z0-9]*)/\S+ [^:]*: the server could not find the requested resource \([a-z]+ [a-z0-9-]+\.([a-z0-9.-]+) `)

// findKinds reports the kinds that an apply did not know: those that are
// defined by now, or the others.
func findKinds(s *diagnose.Search, defined bool) {
	matching(s, unknownKind, appliers, func(c complaint, groups []string) {
		kind, group := first([]string{groups[1], groups[3], groups[4]}), first([]string{groups[2], groups[5]})
		definition := definitionOf(s, group, kind)
		if (definition != nil) != defined {
			return
		}
		f := diagnose.Finding{
			Subject: diagnose.Key{Kind: "Kind", Name: strings.TrimSuffix(kind+"."+group, ".")}, Explains: []diagnose.Key{c.object.Key},
			Evidence: []diagnose.Evidence{c.Evidence}, At: diagnose.Locus{Key: c.object.Key, Field: []string{"spec", "dependsOn"}},
			Sentence: "The cluster does not know the kind " + kind + " that " + c.object.Ref().String() + " applies.",
			Commands: append(diagnose.Show(c.object.Key), "kubectl get crd"),
		}
		if definition != nil {
			f.Subject = c.object.Key
			f.Sentence = c.object.Ref().String() + " was applied before the kind " + kind + " was defined."
			f.Explains, f.Confidence = nil, diagnose.Medium
			f.Evidence = append(f.Evidence, diagnose.Evidence{Object: definition.Ref(), Field: "metadata.creationTimestamp", Text: "is there by now", Time: definition.Created()})
			if by := s.Bringer(definition); by != nil {
				f.Sentence = c.object.Ref().String() + " was applied before " + by.Ref().String() + " had defined the kind " + kind + "."
			}
		} else if s.Places != nil {
			f.Explains = append(f.Explains, ailing(s, s.Places.Definers(group, kind), &f)...)
		}
		s.Report(f)
	})
}

// ailing notes who should have brought a definition and is in trouble: the
// finding is then theirs.
func ailing(s *diagnose.Search, keys []diagnose.Key, f *diagnose.Finding) []diagnose.Key {
	for _, k := range keys {
		f.Evidence = append(f.Evidence, diagnose.Evidence{Object: diagnose.RefOf(k), Field: "chart", Text: "brings the definition"})
		if o := s.Get(k); o != nil && s.Trouble(o) != nil {
			f.Subject = k
		}
	}
	return nil
}

// definitionOf returns the definition of a kind. Of definitions only the names
// are known, which are the kind's plural and its group.
func definitionOf(s *diagnose.Search, group, kind string) *diagnose.Object {
	lower := strings.ToLower(kind)
	for _, d := range s.All(diagnose.Definition) {
		plural, of, _ := strings.Cut(d.Name, ".")
		if (group == "" || of == group) && (plural == lower || plural == lower+"s" || plural == lower+"es" || plural == strings.TrimSuffix(lower, "y")+"ies") {
			return d
		}
	}
	return nil
}
