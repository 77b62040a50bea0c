package causes

import (
	"strings"

	"hearth/internal/diagnose"
)

var editedByHand = &diagnose.Cause{
	Name:     "edited-by-hand",
	Title:    "Somebody changed an object by hand",
	Symptom:  "Something that worked does not, and nothing was changed in Git.",
	Evidence: "The API server has noted kubectl, or another tool of people, as the manager of fields of an object that Git owns; its pods have been in trouble since.",
	Why:      "Git is the source of truth: what is changed past it is untested, and is overwritten at the next reconcile.",
	Fix:      "Make the change in Git, or let a reconcile undo it: hearth reconcile; hearth drift shows each field.",
	Section:  "Don't: Use kubectl for Permanent Changes",
	Find: func(s *diagnose.Search) {
		for _, o := range s.All(diagnose.Deployment, diagnose.StatefulSet, diagnose.DaemonSet, diagnose.HTTPRoute, diagnose.Service, diagnose.ExternalSecret, diagnose.HelmRelease) {
			if len(o.Edits) == 0 || o.Kind() != diagnose.HelmRelease && s.Bringer(o) == nil {
				continue
			}
			edit := o.Edits[len(o.Edits)-1]
			hurt := hurtBy(s, o, edit)
			if len(hurt) == 0 {
				continue
			}
			s.Report(diagnose.Finding{
				Subject: o.Key, Explains: hurt, Confidence: diagnose.Medium, At: diagnose.Locus{Key: s.InGit(o).Key},
				Sentence: o.Ref().String() + " was changed by hand, with " + edit.Manager + ".",
				Evidence: []diagnose.Evidence{{Object: o.Ref(), Field: "managed by " + edit.Manager, Text: strings.Join(edit.Fields, ", "), Time: edit.Time}},
				Commands: append(diagnose.Show(o.Key), "hearth drift "+strings.ToLower(o.Key.Kind)+"/"+o.Name),
			})
		}
	},
}

// hurtBy returns what is in trouble since an edit: the object, or pods that
// were made after it.
func hurtBy(s *diagnose.Search, o *diagnose.Object, edit diagnose.Edit) []diagnose.Key {
	var keys []diagnose.Key
	for _, p := range s.Pods(o) {
		if s.Trouble(p) != nil && !p.Created().Before(edit.Time) {
			keys = append(keys, p.Key)
		}
	}
	if t := s.Trouble(o); t != nil && (len(keys) > 0 || len(s.Pods(o)) == 0 && !t.Since.Before(edit.Time)) {
		keys = append(keys, o.Key)
	}
	return keys
}
