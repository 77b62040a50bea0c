package causes

import (
	"regexp"

	"hearth/internal/diagnose"
)

var secretValueMissing = &diagnose.Cause{
	Name:     "secret-value-missing",
	Title:    "A secret lacks a value",
	Symptom:  "A pod crashes or does not start, or its ExternalSecret is Failed.",
	Evidence: "The ExternalSecret says which field the item lacks, or which its template names and nothing defines; or the kubelet says which key the Secret lacks.",
	Why:      "What a template names must be a field of one of the items that are read, and what a container names must be a key of the Secret.",
	Fix:      "Add the field to the vault item, or correct the name in the ExternalSecret's template.",
	Section:  "Pod Stuck in CrashLoopBackOff", Scenario: "Missing secret value",
	Find: func(s *diagnose.Search) {
		matching(s, noField, []diagnose.Kind{diagnose.ExternalSecret}, func(c complaint, groups []string) {
			field := first(groups[1:])
			s.Report(diagnose.Finding{
				Subject:  c.object.Key,
				Sentence: "No item that " + c.object.Ref().String() + " reads has a field " + field + ".",
				Evidence: []diagnose.Evidence{c.Evidence}, At: diagnose.Locus{Key: c.object.Key, Text: field},
				Commands: diagnose.Show(c.object.Key),
			})
		})
		for _, w := range waits(s) {
			groups := noKey.FindStringSubmatch(w.message)
			if groups == nil {
				continue
			}
			secret := diagnose.Kind{Name: groups[2]}.Key(groups[3], groups[4])
			at := diagnose.Locus{Key: subject(s, w.pod).Key, Text: groups[1]}
			about := secret
			if es := s.Maker(secret); es != nil {
				at.Key, about = es.Key, es.Key
			}
			s.Report(diagnose.Finding{
				Subject: about, Explains: []diagnose.Key{w.pod.Key}, At: at,
				Sentence: diagnose.RefOf(secret).String() + " has no key " + groups[1] + ", which " + w.pod.Ref().String() + " names.",
				Evidence: []diagnose.Evidence{w.says()}, Commands: diagnose.Show(about, w.pod.Key),
			})
		}
		for _, w := range waits(s) {
			if w.crashing() {
				reportVariable(s, w)
			}
		}
	},
}

// reportVariable reports a crash whose last words name a variable that nothing
// defines, where the container takes its variables from an ExternalSecret
// whose template lacks it.
func reportVariable(s *diagnose.Search, w waiting) {
	groups := noVariable.FindStringSubmatch(w.lastText)
	if groups == nil {
		return
	}
	name := first(groups[1:])
	for _, from := range containerSpec(w.pod, w.container).List("envFrom") {
		es := s.Maker(diagnose.Secret.Key(w.pod.Namespace, from.Text("secretRef", "name")))
		if es == nil || es.Has("spec", "target", "template", "data", name) {
			continue
		}
		s.Report(diagnose.Finding{
			Subject: es.Key, Explains: []diagnose.Key{w.pod.Key}, Confidence: diagnose.Medium,
			At:       diagnose.Locus{Key: es.Key, Field: []string{"spec", "target", "template", "data"}},
			Sentence: w.pod.Ref().String() + " ends since nothing defines " + name + ", and the template of " + es.Ref().String() + " has no such key.",
			Evidence: []diagnose.Evidence{field(w.pod, "container "+w.container, w.lastText)}, Commands: diagnose.Show(es.Key, w.pod.Key),
		})
	}
}

var (
	// noVariable is how programs, and the stand-in for them, name a variable
	// that they miss.
	noVariable = regexp.MustCompile(`(?i:variable|env(?:ironment)?) "?([A-Z][A-Z0-9_]+)"?,? .{0,60}(?:not set|not defined|undefined|missing|required)|(?:missing|required|undefined) .{0,30}(?i:variable|env) "?([A-Z][A-Z0-9_]+)`)
	// noField is how a field is said to be missing: by Hearth, by Go's templates,
	// and by the 1Password providers of External Secrets.
	noField = regexp.MustCompile(`1Password items? .*has (?:no|a) field "?([A-Za-z0-9_.-]*[A-Za-z0-9_-])|map has no entry for key "([^"]+)"|expected one 1Password ItemField: '([^']+)' in .*got 0|(?:property|field) "?([A-Za-z0-9_.-]+)"? (?:does not exist|was not found|not found) in`)
	// noKey is how a kubelet says that a Secret lacks a key.
	noKey = regexp.MustCompile(`couldn't find key (\S+) in (Secret|ConfigMap) ([^/\s]+)/(\S+)`)
)
