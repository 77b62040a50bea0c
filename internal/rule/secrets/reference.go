package secrets

import (
	"fmt"
	"strings"

	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
	"hearth/internal/spelling"
)

var secretReference = &rule.Rule{
	Name:     "secret-reference",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "Every Secret, and every key of one, that something refers to is made by something",
	Why: "A pod that refers to a Secret which does not exist waits for ever, without an error of its own, and so does a release " +
		"whose values come from one. A typing error in a name is found only after the rollout has timed out.",
	Remedy: "Correct the name or the key, or add the ExternalSecret that makes the Secret in the same namespace. " +
		"What an application can do without is marked optional: true.",
	Section: "ExternalSecret Lifecycle",
	Bad: "# the ExternalSecret's target is immich-secret\n" +
		"envFrom:\n" +
		"  - secretRef:\n" +
		"      name: immich-secrets\n",
	Good: "envFrom:\n" +
		"  - secretRef:\n" +
		"      name: immich-secret\n",
	Check: func(p *rule.Pass) {
		unseen := 0
		for _, c := range p.Clusters {
			r := &references{Pass: p, cluster: c, keys: newKeys(c)}
			for o := range c.State.All() {
				r.object(o)
			}
			unseen += absent(c)
		}
		noteAbsent(p, unseen)
	},
}

// references judges what the objects of a cluster refer to.
type references struct {
	*rule.Pass
	cluster *rule.Cluster
	keys    *keyring
}

func (r *references) object(o *desired.Object) {
	told := map[string]bool{}
	for _, ref := range graph.References(o) {
		if ref.Kind != "Secret" || ref.Group != "" || ref.Optional || ref.Namespace == "" || r.unknown(ref.Namespace+ref.Name+ref.Key) {
			continue
		}
		if id := ref.Namespace + "/" + ref.Name; r.missing(o, ref, told[id]) {
			told[id] = true
			continue
		}
		r.key(o, ref)
	}
	r.volumes(o)
}

// unknown reports whether a text is only known at run time.
func (r *references) unknown(text string) bool {
	return r.cluster.State.Unknown(text) || strings.Contains(text, "${") || strings.Contains(text, "{{")
}

// missing reports whether nothing makes a Secret, and tells it unless it was
// told of this object already.
func (r *references) missing(o *desired.Object, ref graph.Reference, told bool) bool {
	if !r.cluster.Graph.Resolve(o, ref).Missing {
		return false
	}
	if told {
		return true
	}
	r.Report(rule.Finding{
		Place: o.Place(ref.Path...), Text: ref.Name, Object: o.Ref,
		Message: fmt.Sprintf("nothing makes the Secret %s/%s that %s %s", ref.Namespace, ref.Name, o.Ref, ref.Why) + r.similar(ref),
		Fix:     "correct the name, or add the ExternalSecret that makes it in this namespace",
	})
	return true
}

// similar names the Secret of the namespace that is most probably meant.
func (r *references) similar(ref graph.Reference) string {
	best := ""
	for _, name := range r.keys.inNamespace(ref.Namespace) {
		if isAlike(name, ref.Name) && (best == "" || len(name) < len(best)) {
			best = name
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (there is %s)", best)
}

// isAlike reports whether two names differ by a typing error, or by the end.
func isAlike(a, b string) bool {
	if strings.HasPrefix(a, b) || strings.HasPrefix(b, a) {
		return true
	}
	return spelling.Distance(a, b) <= 2
}
