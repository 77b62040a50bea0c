package causes

import (
	"regexp"
	"strings"

	"hearth/internal/diagnose"
)

var immutableField = &diagnose.Cause{
	Name:     "immutable-field",
	Title:    "A field was changed that cannot be changed",
	Symptom:  "A Kustomization or HelmRelease is Failed after a change in Git.",
	Evidence: "The API server says that a field is immutable, or that updates of it are forbidden.",
	Why:      "Selectors of workloads, volume claim templates, a claim's class and much of a Job cannot be changed once the object exists.",
	Fix:      "Undo the change; or delete the object so that it is made anew (for a Kustomization: annotate it kustomize.toolkit.fluxcd.io/force: enabled). Think of the data first where it is a claim or a StatefulSet.",
	Find: func(s *diagnose.Search) {
		matching(s, immutable, appliers, func(c complaint, _ []string) {
			f := diagnose.Finding{
				Subject: c.object.Key, Sentence: "A change that " + c.object.Ref().String() + " makes is not allowed on an object that exists.",
				Evidence: []diagnose.Evidence{c.Evidence}, Commands: diagnose.Show(c.object.Key),
			}
			if m := refusedObject.FindStringSubmatch(c.text); m != nil {
				f.Sentence = "A change that " + c.object.Ref().String() + " makes to " + m[1] + " is not allowed on an object that exists."
				f.At = namedObject(s, c.object, m[1])
				f.At.Text = templatesOf(m[1])
			}
			s.Report(f)
		})
	},
}

var (
	immutable     = regexp.MustCompile(`field is immutable|is immutable|updates to \w+ spec for fields other than|may not be changed|Forbidden: (?:spec|updates|field)`)
	refusedObject = regexp.MustCompile(`([A-Z][A-Za-z]+(?:\.[a-z.]+)?[ /]"?[a-z0-9][a-z0-9./-]*)"? (?:dry-run failed|is invalid|with kind)`)
)

// templatesOf returns what nearly always was changed where an object of a kind
// is refused: of a StatefulSet the size or the class of its volumes.
func templatesOf(object string) string {
	if strings.HasPrefix(object, "StatefulSet") {
		return "volumeClaimTemplates"
	}
	return ""
}

// namedObject finds an object that a message names as KIND/NAMESPACE/NAME or
// KIND "NAME"; otherwise the one that complains is the place.
func namedObject(s *diagnose.Search, o *diagnose.Object, text string) diagnose.Locus {
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == '/' || r == ' ' || r == '"' })
	kind, _, _ := strings.Cut(parts[0], ".")
	for _, k := range diagnose.Kinds {
		if k.Name != kind {
			continue
		}
		for _, found := range s.All(k) {
			if found.Name == parts[len(parts)-1] && (len(parts) < 3 || found.Namespace == parts[1]) {
				return diagnose.Locus{Key: s.InGit(found).Key}
			}
		}
	}
	return diagnose.Locus{Key: o.Key}
}
