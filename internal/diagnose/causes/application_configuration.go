package causes

import (
	"fmt"
	"regexp"

	"hearth/internal/diagnose"
)

var applicationConfiguration = &diagnose.Cause{
	Name:     "application-configuration",
	Title:    "The application ends by itself: its configuration is the likeliest reason",
	Symptom:  "A pod restarts over and over, and the wait grows to five minutes.",
	Evidence: "A container ends with an error code, again and again, while its Secrets, claims, node and databases are all there.",
	Why:      "What an application needs from its homelab is there; what remains is what it was told: an invalid file, a variable that is missing or wrong.",
	Fix:      "Read the log of the last crash and correct the values, the ConfigMap or the ExternalSecret's template that the configuration comes from.",
	Section:  "Pod Stuck in CrashLoopBackOff", Scenario: "App configuration error", Yields: true,
	Unless: []string{"database-unreachable", "secret-value-missing", "memory-exceeded", "image-changed", "edited-by-hand", "probe-failing", "dns-not-synced", "operator-down"},
	Find: func(s *diagnose.Search) {
		for _, w := range waits(s) {
			if !w.crashing() || w.restarts < 1 {
				continue
			}
			git := subject(s, w.pod)
			text := fmt.Sprintf("ended with code %d, restarted %d times", w.exit, w.restarts)
			confidence := diagnose.Low
			if logHint(s, w, configurationSigns) {
				confidence, text = diagnose.Medium, text+"; its log complains of its configuration"
			}
			s.Report(diagnose.Finding{
				Subject: git.Key, Explains: []diagnose.Key{w.pod.Key}, Confidence: confidence,
				Sentence: "Container " + w.container + " of " + git.Ref().String() + " crashes, and nothing that it needs is missing.",
				Evidence: []diagnose.Evidence{field(w.pod, "container "+w.container, text)},
				Commands: diagnose.Show(w.pod.Key),
			})
		}
	},
}

// configurationSigns are what programs write that were told something wrong.
var configurationSigns = []*regexp.Regexp{
	regexp.MustCompile(`(?i)invalid (?:config|value|option|argument|environment)`),
	regexp.MustCompile(`(?i)(?:missing|required|undefined|unset).{0,40}(?:env|variable|config|setting|option)`),
	regexp.MustCompile(`(?i)(?:env|variable|config|setting|option).{0,60}(?:missing|required|not set|undefined|invalid)`),
	regexp.MustCompile(`(?i)(?:parse|parsing|unmarshal|decode|syntax).{0,40}(?:error|fail|config|yaml|json|toml)`),
	regexp.MustCompile(`(?i)unknown (?:flag|option|field|key)`),
}

// logHint matches what a container last wrote. The text itself is not told: it
// may hold anything.
func logHint(s *diagnose.Search, w waiting, signs []*regexp.Regexp) bool {
	for _, sign := range signs {
		if w.lastText != "" && sign.MatchString(w.lastText) {
			return true
		}
	}
	return s.Logs != nil && s.Logs(w.pod, w.container, signs)
}
