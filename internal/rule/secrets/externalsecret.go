package secrets

import (
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
	needed "hearth/internal/secrets"
)

const group = "external-secrets.io"

// external is an ExternalSecret, or what a ClusterExternalSecret makes of one.
type external struct {
	*desired.Object
	cluster *rule.Cluster
	// at leads to the specification in the object.
	at   []string
	spec map[string]any
	// typed is the specification as far as it has the right types.
	typed v1.ExternalSecretSpec
}

// eachExternal calls f for the ExternalSecrets of the clusters, those that
// charts render included.
func eachExternal(p *rule.Pass, f func(e *external)) {
	for _, c := range p.Clusters {
		for _, o := range c.State.OfKind(group, "ExternalSecret") {
			f(newExternal(c, o, "spec"))
		}
		for _, o := range c.State.OfKind(group, "ClusterExternalSecret") {
			f(newExternal(c, o, "spec", "externalSecretSpec"))
		}
	}
}

func newExternal(c *rule.Cluster, o *desired.Object, at ...string) *external {
	e := &external{Object: o, cluster: c, at: at}
	e.spec, _, _ = unstructured.NestedMap(o.Object, at...)
	e.typed = needed.Spec(e.spec)
	return e
}

// text returns a text of the specification, "" where there is none.
func (e *external) text(path ...string) string {
	text, _, _ := unstructured.NestedString(e.spec, path...)
	return text
}

// path returns the path in the object of a field of the specification.
func (e *external) path(names ...string) []string { return below(e.at, names...) }

// finding is a finding at a field of the specification.
func (e *external) finding(path ...string) rule.Finding {
	return rule.Finding{Place: e.Place(e.path(path...)...), Object: e.Ref}
}

// sources calls f for each entry of data and dataFrom that names a store or a
// generator of its own, or none; ref is then nil.
func (e *external) sources(f func(ref *v1.SourceRef, path []string)) {
	for i, d := range e.typed.Data {
		f(d.SourceRef, []string{"data", strconv.Itoa(i), "sourceRef"})
	}
	for i, d := range e.typed.DataFrom {
		f(d.SourceRef, []string{"dataFrom", strconv.Itoa(i), "sourceRef"})
	}
}
