package gitops

import (
	"cmp"
	"strings"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Reference leads from one object to another.
type Reference struct {
	// Kind is any name of the kind.
	Kind string
	types.NamespacedName
}

// Target returns what a reference leads to.
func (r Reference) Target() Target {
	return Target{Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}
}

// Sources lists what an object takes its content from, in the order in which
// it is to be had: the repository, and for a release its chart.
func (o Object) Sources() []Reference {
	if o.Kind.Kind == helmv2.HelmReleaseKind {
		return o.chartSources()
	}
	if source, ok := o.reference("spec", "sourceRef"); ok {
		return []Reference{source}
	}
	return nil
}

// chartSources lists what a HelmRelease takes its chart from.
func (o Object) chartSources() []Reference {
	if source, ok := o.reference("spec", "chartRef"); ok {
		return []Reference{source}
	}
	var found []Reference
	if source, ok := o.reference("spec", "chart", "spec", "sourceRef"); ok {
		found = append(found, source)
	}
	chart, _, _ := unstructured.NestedString(o.Object, "status", "helmChart")
	if namespace, name, ok := strings.Cut(chart, "/"); ok {
		found = append(found, Reference{Kind: sourcev1.HelmChartKind, NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}})
	}
	return found
}

// reference reads a reference, which by default stays in the namespace.
func (o Object) reference(path ...string) (Reference, bool) {
	fields, _, _ := unstructured.NestedStringMap(o.Object, path...)
	if fields["kind"] == "" || fields["name"] == "" {
		return Reference{}, false
	}
	key := types.NamespacedName{Namespace: cmp.Or(fields["namespace"], o.GetNamespace()), Name: fields["name"]}
	return Reference{Kind: fields["kind"], NamespacedName: key}, true
}

// Static reports whether nothing reconciles an object: others only read it.
func (o Object) Static() bool {
	if o.Kind.Ask == "" {
		return true
	}
	kind, _, _ := unstructured.NestedString(o.Object, "spec", "type")
	return o.Kind.Kind == sourcev1.HelmRepositoryKind && kind == sourcev1.HelmRepositoryTypeOCI
}
