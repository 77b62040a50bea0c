package causes

import (
	"strings"
	"time"

	"hearth/internal/diagnose"
)

var suspended = &diagnose.Cause{
	Name:     "suspended",
	Title:    "Something was suspended, and others need it",
	Symptom:  "What waits for a Kustomization, HelmRelease or source does not get on, or Git's changes do not arrive.",
	Evidence: "spec.suspend is true, and the object is not ready, others wait for it, or its source has had a newer revision for more than a day.",
	Why:      "A reconciler leaves a suspended object alone until somebody resumes it.",
	Fix:      "Resume it: hearth resume KIND/NAME (flux resume); if Git says suspend: true, take that out.",
	Find: func(s *diagnose.Search) {
		for _, o := range s.All(append(appliers, diagnose.Sources...)...) {
			if !o.True("spec", "suspend") {
				continue
			}
			waiting := waitersOf(s, o)
			evidence := []diagnose.Evidence{field(o, "spec.suspend", "true")}
			ready := o.Condition("Ready")
			held, holds := heldBack(s, o)
			if !ready.True() {
				evidence = append(evidence, condition(o, "Ready"))
			}
			if holds {
				evidence = append(evidence, held)
			}
			if len(waiting) == 0 && (ready.True() || ready.Type == "" && !s.Settled) && !holds {
				continue
			}
			s.Report(diagnose.Finding{
				Subject: o.Key, Explains: waiting, At: diagnose.Locus{Key: o.Key, Field: []string{"spec", "suspend"}},
				Sentence: o.Ref().String() + " is suspended.", Evidence: evidence,
				Commands: append(diagnose.Show(o.Key), "hearth resume "+strings.ToLower(o.Key.Kind)+"/"+o.Name+" -n "+o.Namespace),
			})
		}
	},
}

// waitersOf returns what is in trouble and waits for an object.
func waitersOf(s *diagnose.Search, o *diagnose.Object) []diagnose.Key {
	var keys []diagnose.Key
	for _, other := range s.All(append(appliers, diagnose.HelmChart)...) {
		for _, k := range s.Needs(other) {
			if k == o.Key && !o.Condition("Ready").True() {
				keys = append(keys, other.Key)
			}
		}
	}
	return keys
}

// forgottenAfter is how long Git may be ahead of what is suspended.
const forgottenAfter = 24 * time.Hour

// heldBack tells that a Kustomization's source has gone on without it.
func heldBack(s *diagnose.Search, o *diagnose.Object) (diagnose.Evidence, bool) {
	source := s.Get(diagnose.SourceOf(o))
	applied := o.Text("status", "lastAppliedRevision")
	if o.Kind() != diagnose.Kustomization || source == nil || applied == "" {
		return diagnose.Evidence{}, false
	}
	revision, at := source.Text("status", "artifact", "revision"), source.Time("status", "artifact", "lastUpdateTime")
	if revision == "" || revision == applied || s.Now.Sub(at) < forgottenAfter {
		return diagnose.Evidence{}, false
	}
	e := field(source, "status.artifact.revision", revision+" is newer than "+applied)
	e.Time = at
	return e, true
}
