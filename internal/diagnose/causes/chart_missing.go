package causes

import (
	"net/url"
	"regexp"
	"strings"

	"hearth/internal/diagnose"
)

var chartMissing = &diagnose.Cause{
	Name:     "chart-missing",
	Title:    "The chart, its version or its source does not exist",
	Symptom:  "A HelmRelease is Pending, or a Kustomization Fetching, and a source is not ready.",
	Evidence: "The source says that there is no such chart, version, tag or branch; or a release names a source that does not exist.",
	Why:      "A version that was mistyped or taken back, or a repository that was renamed.",
	Fix:      "Name a version that exists, and the source that holds it.",
	Unless:   []string{"source-authentication"},
	Find: func(s *diagnose.Search) {
		matching(s, noChart, diagnose.Sources, func(c complaint, _ []string) {
			at, text := c.object, c.object.Text("spec", "version")
			if release := releaseOf(s, c.object); release != nil {
				at = release
			}
			text = first([]string{text, c.object.Text("spec", "ref", "tag"), c.object.Text("spec", "ref", "semver"), c.object.Text("spec", "ref", "branch"), c.object.Text("spec", "chart")})
			reportSource(s, c, "does not have what "+c.object.Ref().String()+" asks for", diagnose.Locus{Key: at.Key, Text: text}, c.object.Key)
		})
		for _, o := range s.All(appliers...) {
			for _, k := range s.Needs(o) {
				made := k.Kind == diagnose.HelmChart.Name && !o.Has("spec", "chartRef")
				if k.Group != diagnose.GitRepository.Group || made || !s.Missing(k) {
					continue
				}
				s.Report(diagnose.Finding{
					Subject: k, Explains: []diagnose.Key{o.Key}, At: diagnose.Locus{Key: o.Key, Text: k.Name},
					Sentence: diagnose.RefOf(k).String() + ", which " + o.Ref().String() + " is made of, does not exist.",
					Evidence: []diagnose.Evidence{absent(k), trouble(s, o)}, Commands: diagnose.Show(o.Key),
				})
			}
		}
	},
	Yields: true,
}

// reportSource reports what is wrong with a source, or with its server.
func reportSource(s *diagnose.Search, c complaint, what string, at diagnose.Locus, about diagnose.Key) {
	s.Report(diagnose.Finding{
		Subject: about, Explains: []diagnose.Key{c.object.Key}, Evidence: []diagnose.Evidence{c.Evidence}, At: at,
		Sentence: hostOf(s, c.object) + " " + what + ".", Commands: diagnose.Show(c.object.Key),
	})
}

// hostOf returns the server that a source reads.
func hostOf(s *diagnose.Search, o *diagnose.Object) string {
	address := o.Text("spec", "url")
	if ref := o.In("spec", "sourceRef"); address == "" && ref != nil {
		if source := s.Get(o.Names(diagnose.Kind{Group: o.Key.Group, Name: ref.Text("kind")}, ref)); source != nil {
			address = source.Text("spec", "url")
		}
	}
	if u, err := url.Parse(address); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	if _, rest, ok := strings.Cut(address, "@"); ok {
		host, _, _ := strings.Cut(rest, ":")
		return host
	}
	return or(o.Text("spec", "endpoint"), o.Ref().String())
}

// releaseOf returns the HelmRelease that a HelmChart was made for.
func releaseOf(s *diagnose.Search, chart *diagnose.Object) *diagnose.Object {
	if chart.Kind() != diagnose.HelmChart {
		return nil
	}
	for _, r := range s.All(diagnose.HelmRelease) {
		if diagnose.SourceOf(r) == chart.Key {
			return r
		}
	}
	return nil
}

var (
	refusedCredentials = regexp.MustCompile(`(?i)authentication (?:required|failed)|AuthenticationFailed|unauthorized|invalid (?:credentials|username|token)|permission denied \(publickey|unable to authenticate|\b40[13]\b|key mismatch|knownhosts`)
	noChart            = regexp.MustCompile(`(?i)no chart (?:version|name) found|chart version not found|no '[^']*' chart with version|improper constraint|manifest[_ ]unknown|name[_ ]unknown|manifest for \S+ not found|no match found for semver|couldn't find remote ref|reference not found|repository not found|\b404\b|chart .{0,80}(?:not found|does not exist)|cannot be reached: \S+: not found`)
	unreachableSource  = regexp.MustCompile(`(?i)dial tcp|no such host|i/o timeout|timed? ?out|connection (?:refused|reset)|no route to host|unreachable|deadline exceeded|\b50[0234]\b|unexpected EOF|x509|server misbehaving`)
)
