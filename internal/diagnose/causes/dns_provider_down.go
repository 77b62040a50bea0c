package causes

import (
	"regexp"
	"time"

	"hearth/internal/diagnose"
	"hearth/internal/observe"
)

var dnsProviderDown = &diagnose.Cause{
	Name:     "dns-provider-down",
	Title:    "The DNS provider does not answer External-DNS, or refuses it",
	Symptom:  "Records are not made or changed; names that were there go on resolving.",
	Evidence: "An event of External-DNS, or the end of its log, says that the provider cannot be reached, refuses the token, or limits requests.",
	Why:      "External-DNS leaves all records as they are while its provider fails.",
	Fix:      "Wait for the provider, or renew the token in the Secret that External-DNS reads.",
	Find: func(s *diagnose.Search) {
		for _, d := range publishers(s) {
			f := diagnose.Finding{
				Subject: d.Key, Sentence: "The DNS provider of " + d.Ref().String() + " does not answer, or refuses it.", Commands: diagnose.Show(d.Key),
				At: diagnose.Locus{Key: s.InGit(d).Key}, Confidence: diagnose.Medium,
			}
			if h, ok := syncFailure(s, d); ok {
				f.Evidence, f.Explains = []diagnose.Evidence{event(h)}, unpublished(s)
				s.Report(f)
				continue
			}
			for _, p := range s.Pods(d) {
				if s.Trouble(p) == nil || len(p.List("spec", "containers")) == 0 {
					continue
				}
				container := p.List("spec", "containers")[0].Text("name")
				if s.Logs != nil && s.Logs(p, container, []*regexp.Regexp{providerFailure}) {
					f.Explains = append(unpublished(s), p.Key)
					f.Evidence = []diagnose.Evidence{field(p, "container "+container, "the end of its log says that the provider fails")}
					s.Report(f)
					break
				}
			}
		}
	},
}

// unpublished are what has no record yet: a provider that fails is why.
func unpublished(s *diagnose.Search) []diagnose.Key {
	var keys []diagnose.Key
	for _, e := range unseenEndpoints(s) {
		keys = append(keys, e.Key)
	}
	for _, name := range unresolvedNames(s) {
		keys = append(keys, name.route.Key)
	}
	return keys
}

// syncFailure returns the event by which External-DNS last said that it could
// not bring records up to date: of its workload, or of one of its pods.
func syncFailure(s *diagnose.Search, d *diagnose.Object) (observe.Happening, bool) {
	for _, o := range append(s.Pods(d), d) {
		h, ok := eventOf(s, o.Key, providerFailure, "RecordError", "ProviderUnreachable", "ProviderError", "SyncFailed", "DNSProviderFailed", "Failed")
		if ok && h.Type == "Warning" && latest(s, o.Key, h.Time) {
			return h, true
		}
	}
	return observe.Happening{}, false
}

var providerFailure = regexp.MustCompile(`(?i)provider|cloudflare|dial tcp|timeout|unreachable|rate limit|\b(?:401|403|429|5\d\d)\b|authentication`)

// recovered is the reason of the event by which External-DNS says that its
// records are up to date again. Events count in whole seconds: one of the same
// second followed the failure that it answers.
const recovered = "RecordReady"

// latest reports whether nothing good has happened to an object since.
func latest(s *diagnose.Search, k diagnose.Key, at time.Time) bool {
	for _, h := range s.Events(k) {
		if h.Type == "Normal" && (h.Time.After(at) || h.Reason == recovered && h.Time.Equal(at)) {
			return false
		}
	}
	return true
}

// young is the age up to which something may not be finished yet.
const young = 5 * time.Minute

// scaledDown reports whether a workload asks for no pods.
func scaledDown(d *diagnose.Object) bool {
	return d.Has("spec", "replicas") && d.Number("spec", "replicas") == 0
}
