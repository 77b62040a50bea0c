package causes

import (
	"regexp"
	"strings"

	"hearth/internal/diagnose"
)

var releaseLocked = &diagnose.Cause{
	Name:     "release-locked",
	Title:    "A Helm release is stuck in a pending action",
	Symptom:  "A HelmRelease fails with every try, although its values are right.",
	Evidence: "Helm says that another operation is in progress; the release's record is pending-install, pending-upgrade, pending-rollback or uninstalling.",
	Why:      "Whoever ran the last action was killed before it could note the outcome, and Helm takes it to run on.",
	Fix:      "Roll the release back to its last good revision, or delete the record that is pending; then force a reconcile.",
	Find: func(s *diagnose.Search) {
		matching(s, otherOperation, []diagnose.Kind{diagnose.HelmRelease}, func(c complaint, _ []string) {
			f := diagnose.Finding{
				Subject: c.object.Key, Sentence: "The Helm release of " + c.object.Ref().String() + " is locked by an action that never ended.",
				Evidence: []diagnose.Evidence{c.Evidence}, Commands: append(diagnose.Show(c.object.Key), "helm history -n "+c.object.Namespace+" "+c.object.Name),
			}
			for _, record := range s.Namespaced(diagnose.Secret, c.object.Namespace) {
				if record.Label("owner") == "helm" && record.Label("name") == c.object.Name && unfinished(record.Label("status")) {
					f.Evidence = append(f.Evidence, field(record, "label status", record.Label("status")))
				}
			}
			s.Report(f)
		})
	},
}

// unfinished reports whether a release's status is that of an action under way.
func unfinished(status string) bool {
	return strings.HasPrefix(status, "pending-") || status == "uninstalling"
}

var otherOperation = regexp.MustCompile(`another operation \(install/upgrade/rollback\) is in progress|has no deployed releases`)
