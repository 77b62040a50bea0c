package charts

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

var releaseName = &rule.Rule{
	Name:     "release-name",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "Releases have names of their own that Helm takes",
	Why: "Helm keeps a release under its name and namespace. Two HelmReleases that share both replace each other's " +
		"objects, again and again. A name that Helm does not take fails the install, and one that Flux must shorten " +
		"gives Services and Secrets other names than those which the tree expects.",
	Remedy: "Give each HelmRelease of a namespace another name, or another `releaseName`: at most 53 characters, lower-case " +
		"letters, digits and hyphens, of the target namespace and the name together where a target namespace is set.",
	Section: "HelmRelease Specification",
	Bad: "metadata:\n" +
		"  name: immich-db\n" +
		"spec:\n" +
		"  releaseName: immich # as the HelmRelease immich beside it\n",
	Good: "metadata:\n" +
		"  name: immich-db\n",
	Check: checkNames,
}

// longestName is what Helm takes.
const longestName = 53

// helmName is what Helm takes as the name of a release.
var helmName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

func checkNames(p *rule.Pass) {
	for _, c := range p.Clusters {
		taken := map[slot]*desired.Release{}
		for _, r := range c.State.Releases {
			if r.ReleaseName == "" || c.State.Unknown(r.ReleaseName+r.ReleaseNamespace) || strings.Contains(r.ReleaseName, "${") {
				continue
			}
			judgeName(p, r)
			judgeSlots(p, r, taken)
		}
	}
}

// judgeName holds a name against what Helm and Flux take.
func judgeName(p *rule.Pass, r *desired.Release) {
	f := rule.Finding{Place: r.Object.Place(namePath(r)...), Text: cmp.Or(r.Spec.ReleaseName, r.Name), Object: r.Object.Ref}
	switch {
	case !helmName.MatchString(r.ReleaseName):
		f.Message = fmt.Sprintf("%q is no name of a release: Helm takes lower-case letters, digits, hyphens and dots only", r.ReleaseName)
	case len(r.ReleaseName) <= longestName:
		return
	case r.Spec.ReleaseName != "":
		f.Message = fmt.Sprintf("the release name has %d characters, and the API server takes %d at most", len(r.ReleaseName), longestName)
	default:
		f.Severity = rule.Warning
		f.Message = fmt.Sprintf("the release would be named %s, which has %d characters: Flux cuts it to %d and puts a digest at its end, and so the names of its objects change",
			r.ReleaseName, len(r.ReleaseName), longestName)
		f.Fix = "set a shorter releaseName"
	}
	p.Report(f)
}

// namePath leads to what names a release.
func namePath(r *desired.Release) []string {
	if r.Spec.ReleaseName != "" {
		return []string{"spec", "releaseName"}
	}
	return []string{"metadata", "name"}
}

// slot is what only one release can have.
type slot struct{ what, cluster, namespace, name string }

// slotsOf returns where a release is stored and where its objects are.
func slotsOf(r *desired.Release) []slot {
	cluster := ""
	if k := r.Spec.KubeConfig; k != nil {
		if k.SecretRef != nil {
			cluster = r.Namespace + "/" + k.SecretRef.Name
		}
		if k.ConfigMapRef != nil {
			cluster = r.Namespace + "/" + k.ConfigMapRef.Name
		}
	}
	return []slot{
		{"stored", cluster, r.GetStorageNamespace(), r.ReleaseName},
		{"installed", cluster, r.ReleaseNamespace, r.ReleaseName},
	}
}

// judgeSlots reports a release that another one is in the way of. Those that
// come first by their name are not at fault.
func judgeSlots(p *rule.Pass, r *desired.Release, taken map[slot]*desired.Release) {
	slots := slotsOf(r)
	i := slices.IndexFunc(slots, func(s slot) bool { return taken[s] != nil })
	if i < 0 {
		for _, s := range slots {
			taken[s] = r
		}
		return
	}
	first := taken[slots[i]]
	p.Report(rule.Finding{
		Place: r.Object.Place(namePath(r)...), Text: cmp.Or(r.Spec.ReleaseName, r.Name), Object: r.Object.Ref,
		Message: fmt.Sprintf("the release %s is %s in %s by HelmRelease %s/%s, too (%s), so that both replace each other's objects",
			r.ReleaseName, slots[i].what, slots[i].namespace, first.Namespace, first.Name, first.Object.Place()),
		Fix: "give it another releaseName",
	})
}
