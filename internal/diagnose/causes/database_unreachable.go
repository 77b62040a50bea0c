package causes

import (
	"regexp"

	"hearth/internal/diagnose"
)

var databaseUnreachable = &diagnose.Cause{
	Name:     "database-unreachable",
	Title:    "The application cannot reach its database",
	Symptom:  "A pod restarts over and over, or waits in its init container.",
	Evidence: "The pod is told of a database cluster that is not ready, or of a Service that does not exist; or the end of its log says that a connection failed.",
	Why:      "Most applications end where their database does not answer, and are started again.",
	Fix:      "Correct the database's address in the ExternalSecret's template or the values, and bring the database to ready.",
	Section:  "Pod Stuck in CrashLoopBackOff", Scenario: "Database unreachable", Yields: true,
	Find: func(s *diagnose.Search) {
		for _, w := range waits(s) {
			if !w.crashing() && s.Trouble(w.pod).State != "Starting" && s.Trouble(w.pod).State != "Init" && s.Trouble(w.pod).State != "NotReady" {
				continue
			}
			if !reportDatabase(s, w) && w.crashing() {
				reportConnection(s, w)
			}
		}
		for _, db := range s.All(diagnose.Database) {
			if s.Acute(db) {
				s.Report(diagnose.Finding{
					Subject: db.Key, Confidence: diagnose.Medium, Sentence: db.Ref().String() + " is not ready.",
					Evidence: []diagnose.Evidence{trouble(s, db)}, Commands: diagnose.Show(db.Key),
					Fix: "Bring the database to ready: look at its pods, its claims and its operator.",
				})
			}
		}
	},
}

// reportDatabase reports a database that a pod is told of and that ails, or an
// address that leads to no Service.
func reportDatabase(s *diagnose.Search, w waiting) bool {
	reported := false
	for _, k := range s.Databases(w.pod) {
		db := s.Get(k)
		if db == nil || s.Trouble(db) == nil {
			continue
		}
		reported = true
		s.Report(diagnose.Finding{
			Subject: k, Explains: []diagnose.Key{w.pod.Key}, Sentence: db.Ref().String() + ", which " + w.pod.Ref().String() + " is told of, is not ready.",
			Evidence: []diagnose.Evidence{trouble(s, db), trouble(s, w.pod)}, Commands: diagnose.Show(k, w.pod.Key), Confidence: diagnose.Medium,
			Fix: "Bring the database to ready: look at its pods, its claims and its operator.",
		})
	}
	for _, text := range s.Told(w.pod) {
		for _, host := range clusterHost.FindAllString(text, 8) {
			service, ok := diagnose.ServiceOf(host, w.pod.Namespace)
			if !ok || !s.Missing(service) {
				continue
			}
			reported = true
			git := subject(s, w.pod)
			s.Report(diagnose.Finding{
				Subject: service, Explains: []diagnose.Key{w.pod.Key}, Confidence: diagnose.Medium, At: hostPlace(s, w.pod, git.Key, host),
				Sentence: w.pod.Ref().String() + " is told of " + host + ", and there is no such Service.",
				Evidence: []diagnose.Evidence{absent(service), trouble(s, w.pod)}, Commands: append(diagnose.Show(w.pod.Key), "kubectl get service -n "+service.Namespace),
			})
		}
	}
	return reported
}

// hostPlace finds what tells a pod of a host: the ExternalSecret whose template
// does, else the release.
func hostPlace(s *diagnose.Search, pod *diagnose.Object, otherwise diagnose.Key, host string) diagnose.Locus {
	for _, k := range diagnose.Configuration(pod) {
		es := s.Maker(k)
		if es == nil {
			continue
		}
		for _, v := range es.In("spec", "target", "template", "data") {
			if text, ok := v.(string); ok && clusterHost.FindString(text) == host {
				return diagnose.Locus{Key: es.Key, Text: host}
			}
		}
	}
	return diagnose.Locus{Key: otherwise, Text: host}
}

// reportConnection reports a pod whose last words were of a connection.
func reportConnection(s *diagnose.Search, w waiting) {
	if !logHint(s, w, connectionSigns) {
		return
	}
	git := subject(s, w.pod)
	s.Report(diagnose.Finding{
		Subject: git.Key, Explains: []diagnose.Key{w.pod.Key}, Confidence: diagnose.Medium,
		Sentence: "Container " + w.container + " of " + git.Ref().String() + " ends where a connection to its database fails.",
		Evidence: []diagnose.Evidence{field(w.pod, "container "+w.container, "the end of its log says that a connection failed")},
		Commands: diagnose.Show(w.pod.Key),
	})
}

var clusterHost = regexp.MustCompile(`[a-z0-9][a-z0-9-]*\.[a-z0-9][a-z0-9-]*\.svc\b`)

// connectionSigns are what database clients write that get no connection.
var connectionSigns = []*regexp.Regexp{
	regexp.MustCompile(`(?i)could not connect to server`),
	regexp.MustCompile(`(?i)connection (?:to .{0,80})?(?:refused|failed|timed out)`),
	regexp.MustCompile(`ECONNREFUSED`),
	regexp.MustCompile(`ENOTFOUND`),
	regexp.MustCompile(`(?i)no such host`),
	regexp.MustCompile(`(?i)could not translate host name`),
	regexp.MustCompile(`(?i)password authentication failed`),
	regexp.MustCompile(`(?i)(?:database|postgres|mysql|mariadb|redis)\S* .{0,60}(?:unreachable|unavailable|not available|does not exist)`),
	regexp.MustCompile(`(?i)can't connect to (?:mysql|mariadb|local)`),
	regexp.MustCompile(`(?i)name or service not known`),
}
