package images

import (
	"hearth/internal/rule"
)

var imageLatest = &rule.Rule{
	Name:     "image-latest",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "No image is named by the tag latest, or by no tag at all",
	Why: "The tag latest means another image after each release of the vendor. Which one runs then depends on the day " +
		"on which a node pulled it: a restart can bring an upgrade that nobody asked for, two pods of one application " +
		"can run different versions, and going back to an earlier commit brings nothing back.",
	Remedy: "Name the version that runs today, with its digest: `tag: v2.4.1@sha256:…`. Renovate then proposes each new " +
		"one as a change of its own.",
	Section: "Don't: Use :latest Tag",
	Bad: "image:\n" +
		"  repository: ghcr.io/example/app\n" +
		"  tag: latest\n",
	Good: "image:\n" +
		"  repository: ghcr.io/example/app\n" +
		"  tag: v2.4.1@sha256:e6a6298e67ae077808fdb7d8d5565955f60b0708191576143fc02d30ab1389d1\n",
	Check: checkLatest,
}

func checkLatest(p *rule.Pass) {
	for _, c := range p.Clusters {
		for _, i := range Of(c.State) {
			if !i.isLatest() {
				continue
			}
			f := rule.Finding{
				Place: i.Place(), Text: latestTag, Object: i.Object.Ref,
				Message: "the tag latest of " + i.Name() + " is another image after each release, so that what runs is not what Git says",
				Fix:     "name a version and its digest: v1.2.3@sha256:…",
			}
			if i.Tag == "" {
				f.Text = i.Text()
				f.Message = i.Name() + " is named without a tag and a digest, which means latest: what runs is not what Git says"
			}
			p.Report(f)
		}
	}
}
