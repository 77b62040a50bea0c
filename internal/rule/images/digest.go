package images

import (
	"hearth/internal/rule"
)

var imageDigest = &rule.Rule{
	Name:     "image-digest",
	Topic:    topic,
	Severity: rule.Warning,
	Title:    "Images are pinned by digest",
	Why: "A tag is a name that its owner can give to another image at any time, and a registry that was broken into " +
		"will. Only the digest says what is run: the same commit then runs the same bytes on every node, today and " +
		"after the next restart.",
	Remedy: "Put the digest behind the tag, where Renovate keeps both up to date: `tag: v2.4.1@sha256:…`. A chart that " +
		"has a field of its own for the digest takes it there.",
	Section: "Rule 5: Images are pinned by digest",
	Bad: "image:\n" +
		"  repository: ghcr.io/example/app\n" +
		"  tag: v2.4.1\n",
	Good: "image:\n" +
		"  repository: ghcr.io/example/app\n" +
		"  tag: v2.4.1@sha256:e6a6298e67ae077808fdb7d8d5565955f60b0708191576143fc02d30ab1389d1\n",
	Check: checkDigest,
}

// checkDigest leaves images that are latest to the rule on those.
func checkDigest(p *rule.Pass) {
	for _, c := range p.Clusters {
		for _, i := range Of(c.State) {
			if i.Digest != "" || i.isLatest() {
				continue
			}
			p.Report(rule.Finding{
				Place: i.Place(), Text: i.Text(), Object: i.Object.Ref,
				Message: "the tag " + i.Tag + " of " + i.Name() + " has no digest, so that it can become another image without a change in Git",
				Fix:     "put the digest behind the tag: " + i.Tag + "@sha256:…",
			})
		}
	}
}
